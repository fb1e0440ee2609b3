//! `GET /v1/audit…`: the record of what was asked, its head, whether it is whole, and all of it.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use rules::Command;
use rules::deed::Deed;
use rules::id::{CaseId, HumanName, TeamName};
use runtime::audit::line::{Head, hex, unhex};
use runtime::audit::read::Filter;
use runtime::audit::signers::Authority;
use runtime::audit::verify::Known;
use runtime::clock;
use runtime::redact::redacted;

use super::change_case::done;
use super::{blocking, name, page};
use crate::admin::auditor;
use crate::admin::convert::audit::{line, signers as signers_told, verdict};
use crate::admin::deeds;
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf, QueryOf};
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{
    AuditHead, AuditHeadQuery, AuditPage, AuditQuery, AuditVerdict, Code, Done, EraseCase,
    ErrorBody, Moment, parse_moment_ms,
};
use crate::admin::wish::Wish;

/// Records, the newest first.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "a page of records", body = AuditPage),
              (status = 400, description = "the query is wrong", body = ErrorBody),
              (status = 403, description = "it is not for the asker", body = ErrorBody)))]
pub(super) async fn show(
    State(desk): State<Shared>,
    asker: Asker,
    QueryOf(query): QueryOf<AuditQuery>,
) -> Answered<Json<AuditPage>> {
    let case = query.case.as_deref().map(name::<CaseId>).transpose()?;
    let team = query.team.as_deref().map(name::<TeamName>).transpose()?;
    let human = query.human.as_deref().map(name::<HumanName>).transpose()?;
    let before = query.after.as_deref().map(str::parse).transpose();
    let before = before.map_err(|_| {
        Refused::new(Code::Invalid, "after is no record's number")
            .hint("hand over the `next` of the page before")
    })?;
    let filter = Filter {
        case: case.map(|case| case.to_string()),
        teams: auditor::teams(&desk, &asker, team.as_ref())?,
        human: human.map(|human| human.to_string()),
        since_ms: moment("since", query.since.as_deref())?.unwrap_or(0),
        until_ms: moment("until", query.until.as_deref())?,
        before,
    };
    let limit = page(query.limit)?;
    let ledger = desk.ledger.clone();
    let page = blocking(move || {
        let team_of = |case: &str| auditor::team_of(&ledger, case);
        let audit = ledger.audit();
        audit.page(&filter, limit, &team_of).map_err(unreadable)
    });
    let page = page.await?;
    Ok(Json(AuditPage {
        records: page.rows.into_iter().map(line).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

/// The end of the chain, as this node's state has it.
#[utoipa::path(get, path = "/v1/audit/head", tag = "audit",
    responses((status = 200, description = "the head, to be kept elsewhere", body = AuditHead),
              (status = 403, description = "it is not for the asker", body = ErrorBody)))]
pub(super) async fn head(State(desk): State<Shared>) -> Json<AuditHead> {
    let chain = desk.ledger.read(|state| state.audit.clone());
    let signers = desk.ledger.audit().signers().first();
    Json(AuditHead {
        count: chain.count,
        index: chain.index,
        head: hex(&chain.head),
        node: desk.node.to_string(),
        at: Moment::from_ms(clock::wall().0),
        signers: signers.map(|known| signers_told(Authority::of(known))),
    })
}

/// Looks at all of this node's files, and compares them with its state and with a head that was kept.
#[utoipa::path(get, path = "/v1/audit/verify", tag = "audit", params(AuditHeadQuery),
    responses((status = 200, description = "whether it is what was written", body = AuditVerdict),
              (status = 400, description = "the query is wrong", body = ErrorBody),
              (status = 403, description = "it is not for the asker", body = ErrorBody)))]
pub(super) async fn verify(
    State(desk): State<Shared>,
    QueryOf(query): QueryOf<AuditHeadQuery>,
) -> Answered<Json<AuditVerdict>> {
    let _place = desk.stream()?;
    let mut known = vec![state_head(&desk)];
    if let Some(kept) = kept(query)? {
        known.push(kept);
    }
    let audit = Arc::clone(desk.ledger.audit());
    let verified = blocking(move || audit.verify(&known).map_err(unreadable)).await?;
    Ok(Json(verdict(verified)))
}

/// The whole record, for whoever wants to check it without a node.
#[utoipa::path(get, path = "/v1/audit/export", tag = "audit",
    responses((status = 200, description = "one JSON object a line",
               body = String, content_type = "application/x-ndjson"),
              (status = 403, description = "it is not for the asker", body = ErrorBody),
              (status = 409, description = "records are missing here", body = ErrorBody)))]
pub(super) async fn export(State(desk): State<Shared>, asker: Asker) -> Answered<Response> {
    let place = desk.stream()?;
    deeds::note(&desk, &asker, Deed::ExportAudit).await?;
    let audit = Arc::clone(desk.ledger.audit());
    let known = state_head(&desk);
    if let Some(gap) = audit.gap() {
        let (first, last) = (gap.after + 1, gap.until);
        let what = format!("records {first} to {last} are missing on this node");
        let refused = Refused::new(Code::WrongState, what);
        return Err(refused.hint("they come from other nodes: ask again, or ask another node"));
    }
    let export =
        blocking(move || audit.export((known.count, known.head)).map_err(unreadable)).await?;
    let pieces = stream::try_unfold((export, place), |(mut export, place)| async move {
        let read = tokio::task::spawn_blocking(move || {
            let piece = export.next_piece()?;
            Ok::<_, io::Error>(piece.map(|piece| (Bytes::from(piece), (export, place))))
        });
        read.await.map_err(io::Error::other)?
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(pieces)).into_response())
}

/// Erases the texts of a closed case on every node: of its archive, and the salts of its records.
///
/// Its numbers, its people, its times and how it ended stay, and the record verifies as before. A
/// backup that was made before keeps the texts.
#[utoipa::path(post, path = "/v1/cases/{case}/erase", tag = "audit", request_body = EraseCase,
    params(("case" = String, Path, description = "its number", example = "c-1"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "every node does it as soon as it hears of it", body = Done),
              (status = 404, description = "there is no such case", body = ErrorBody),
              (status = 409, description = "it is not over", body = ErrorBody)))]
pub(super) async fn erase(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(case): PathOf<String>,
    JsonOf(why): JsonOf<EraseCase>,
) -> Answered<Response> {
    let command = Command::EraseCase {
        case: name(&case)?,
        reason: redacted(why.reason),
    };
    done(&desk, &wish, command).await
}

fn state_head(desk: &Desk) -> Known {
    let (count, head) = desk
        .ledger
        .read(|state| (state.audit.count, state.audit.head));
    let whose = format!("the state of node {}", desk.node);
    Known { count, head, whose }
}

fn kept(query: AuditHeadQuery) -> Answered<Option<Known>> {
    let wrong = |what: &str| {
        Refused::new(Code::Invalid, what)
            .hint("hand over `count` and `head` as GET /v1/audit/head gave them")
    };
    match (query.count, query.head) {
        (None, None) => Ok(None),
        (Some(count), Some(head)) if count > 0 => {
            let head: Head = unhex(&head).ok_or_else(|| wrong("head is no SHA-256"))?;
            let whose = "the head that was kept".to_owned();
            Ok(Some(Known { count, head, whose }))
        }
        _ => Err(wrong("count and head belong together")),
    }
}

fn moment(name: &str, text: Option<&str>) -> Answered<Option<u64>> {
    let Some(text) = text else { return Ok(None) };
    parse_moment_ms(text).map(Some).ok_or_else(|| {
        let what = format!("{name} {} is no moment", config::mistake::shown(text));
        Refused::new(Code::Invalid, what)
            .hint("write 2026-03-01, 2026-03-01T09:30Z or milliseconds since 1970")
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn unreadable(error: io::Error) -> Refused {
    Refused::new(Code::Failed, format!("the record cannot be read: {error}"))
        .hint("look at the disk of the data folder")
}
