//! `POST /v1/cases…`: opening, cancelling, pausing, resuming and amending cases.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rules::attempt::Body;
use rules::case::{Attachment, Brief};
use rules::id::{CaseId, PlaybookName, TeamName};
use rules::limits::MAX_INLINE_BYTES;
use rules::{Command, Outcome};
use runtime::redact::redacted;

use super::{blocking, name};
use crate::admin::convert::asked;
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf};
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{
    self, AmendCase, CancelCase, Code, Done, ErrorBody, OpenCase, Opened, PauseCase, ResumeCase,
    RouteCase,
};
use crate::admin::wish::Wish;

/// Hands a case over. Once it is answered, a quorum has it on disk.
#[utoipa::path(post, path = "/v1/cases", tag = "cases", request_body = OpenCase,
    params(("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 201, description = "the case is open", body = Opened),
              (status = 400, description = "the case is wrong in itself", body = ErrorBody),
              (status = 404, description = "there is no such team", body = ErrorBody),
              (status = 413, description = "the brief or the files are too large", body = ErrorBody),
              (status = 422, description = "a file was not uploaded", body = ErrorBody),
              (status = 429, description = "there are too many open cases", body = ErrorBody),
              (status = 503, description = "not now; nothing was done", body = ErrorBody),
              (status = 504, description = "unknown: repeat with the same id", body = ErrorBody)))]
pub(super) async fn open(
    State(desk): State<Shared>,
    wish: Wish,
    JsonOf(case): JsonOf<OpenCase>,
) -> Answered<Response> {
    let text = redacted(case.brief);
    let title = case.title.map(redacted);
    let title = title.unwrap_or_else(|| asked::title(&text));
    let command = Command::OpenCase {
        team: case.team.as_deref().map(name::<TeamName>).transpose()?,
        title,
        brief: brief(&desk, text).await?,
        attachments: attachments(&desk, case.attachments).await?,
        playbook: case
            .playbook
            .as_deref()
            .map(name::<PlaybookName>)
            .transpose()?,
    };
    match wish.propose(&desk, command, "").await? {
        Outcome::Opened(case) => {
            let opened = Opened {
                case: case.to_string(),
                request_id: wish.id.to_string(),
            };
            Ok(wish.answer(StatusCode::CREATED, &opened))
        }
        Outcome::Done
        | Outcome::PlanRefused(_)
        | Outcome::Applied { .. }
        | Outcome::Admitted(_)
        | Outcome::Posted { .. }
        | Outcome::Effect(_) => {
            let refused = Refused::new(Code::Failed, "the ledger answered another question");
            Err(wish.refused(refused))
        }
    }
}

/// Ends a case: what runs is ended, and the butler reports.
#[utoipa::path(post, path = "/v1/cases/{case}/cancel", tag = "cases", request_body = CancelCase,
    params(("case" = String, Path, description = "its number", example = "c-1"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such open case", body = ErrorBody),
              (status = 409, description = "it is over already", body = ErrorBody)))]
pub(super) async fn cancel(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(case): PathOf<String>,
    JsonOf(why): JsonOf<CancelCase>,
) -> Answered<Response> {
    let case = name(&case)?;
    done(
        &desk,
        &wish,
        Command::CancelCase {
            case,
            reason: redacted(why.reason),
        },
    )
    .await
}

/// Gives a case its team, where it names none and none fits by itself.
#[utoipa::path(post, path = "/v1/cases/{case}/route", tag = "cases", request_body = RouteCase,
    params(("case" = String, Path, description = "its number", example = "c-1"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such open case or team", body = ErrorBody),
              (status = 409, description = "it has another team, or is over", body = ErrorBody)))]
pub(super) async fn route(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(case): PathOf<String>,
    JsonOf(to): JsonOf<RouteCase>,
) -> Answered<Response> {
    let command = Command::RouteCase {
        case: name(&case)?,
        team: name(&to.team)?,
        reason: redacted(to.reason),
    };
    done(&desk, &wish, command).await
}

/// Holds a case: nothing more of it is started.
#[utoipa::path(post, path = "/v1/cases/{case}/pause", tag = "cases", request_body = PauseCase,
    params(("case" = String, Path, description = "its number", example = "c-1"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such open case", body = ErrorBody),
              (status = 409, description = "it is held or over already", body = ErrorBody)))]
pub(super) async fn pause(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(case): PathOf<String>,
    JsonOf(why): JsonOf<PauseCase>,
) -> Answered<Response> {
    let case = name(&case)?;
    done(
        &desk,
        &wish,
        Command::PauseCase {
            case,
            reason: redacted(why.reason),
        },
    )
    .await
}

/// Lets a held case go on.
#[utoipa::path(post, path = "/v1/cases/{case}/resume", tag = "cases", request_body = ResumeCase,
    params(("case" = String, Path, description = "its number", example = "c-1"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such open case", body = ErrorBody),
              (status = 409, description = "it is not held", body = ErrorBody)))]
pub(super) async fn resume(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(case): PathOf<String>,
    JsonOf(ResumeCase {}): JsonOf<ResumeCase>,
) -> Answered<Response> {
    done(&desk, &wish, Command::ResumeCase { case: name(&case)? }).await
}

/// Changes what is to be done: a new version of the brief, and a new plan for what is not done yet.
#[utoipa::path(post, path = "/v1/cases/{case}/amend", tag = "cases", request_body = AmendCase,
    params(("case" = String, Path, description = "its number", example = "c-1"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such open case", body = ErrorBody),
              (status = 409, description = "it is over already", body = ErrorBody),
              (status = 422, description = "a file was not uploaded", body = ErrorBody)))]
pub(super) async fn amend(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(case): PathOf<String>,
    JsonOf(change): JsonOf<AmendCase>,
) -> Answered<Response> {
    let case: CaseId = name(&case)?;
    let brief = brief(&desk, redacted(change.brief)).await?;
    let attachments = attachments(&desk, change.attachments).await?;
    done(
        &desk,
        &wish,
        Command::AmendCase {
            case,
            brief,
            attachments,
        },
    )
    .await
}

/// Proposes what has no other outcome than being so.
pub(super) async fn done(desk: &Desk, wish: &Wish, command: Command) -> Answered<Response> {
    wish.propose(desk, command, "").await?;
    Ok(wish.answer(
        StatusCode::OK,
        &Done {
            request_id: wish.id.to_string(),
        },
    ))
}

/// A text of the ledger where it is short, else a blob, durable before the entry names it.
pub(super) async fn body(desk: &Desk, what: &str, text: String) -> Answered<Body> {
    let limit = desk.limits.brief_bytes;
    if text.len() as u64 > limit {
        let refused = Refused::too_large(&format!("the {what}"), "brief_bytes", limit);
        return Err(refused.hint("attach long texts as files"));
    }
    if text.len() <= MAX_INLINE_BYTES {
        return Ok(Body::Inline(text));
    }
    Ok(Body::Blob(desk.blobs.put_bytes(text.into_bytes()).await?))
}

async fn brief(desk: &Desk, text: String) -> Answered<Brief> {
    if text.trim().is_empty() {
        return Err(Refused::new(Code::Invalid, "the brief is empty"));
    }
    Ok(Brief {
        text: body(desk, "brief", text).await?,
    })
}

pub(super) async fn attachments(
    desk: &Shared,
    named: Vec<wire::Attachment>,
) -> Answered<Vec<Attachment>> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let limits = &desk.limits;
    if named.len() > limits.attachments {
        let limit = limits.attachments as u64;
        return Err(Refused::too_large(
            "the list of files",
            "attachments_per_case",
            limit,
        ));
    }
    let case_bytes = limits.case_bytes;
    let desk = Arc::clone(desk);
    let found = blocking(move || {
        asked::attachments(&named, &*desk)
            .map_err(|missing| Refused::for_reasons(Code::BadDocuments, missing))
    })
    .await?;
    let bytes = found
        .iter()
        .fold(0u64, |sum, file| sum.saturating_add(file.blob.bytes));
    if bytes > case_bytes {
        return Err(Refused::too_large(
            "what is attached",
            "case_bytes",
            case_bytes,
        ));
    }
    Ok(found)
}
