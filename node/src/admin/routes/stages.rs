//! `POST /v1/cases/{case}/stages/{stage}/…`: answering, approving and rejecting stages.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use rules::Command;
use rules::attempt::{Body, StageResult};
use rules::limits::MAX_INLINE_BYTES;
use runtime::redact::{redact, redacted};
use serde_json::json;

use super::change_case::done;
use super::{blocking, name};
use crate::admin::convert::asked;
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf};
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{
    AnswerStage, ApproveStage, Code, Done, ErrorBody, RejectStage, SettleEffect,
};
use crate::admin::wish::Wish;

/// The largest document of an answer: what an agent's own result may have.
const DOCUMENT_BYTES: usize = runtime::spool::result::RESULT_LIMIT_BYTES;

/// Takes a stage over and answers it by hand: the answer is its one accepted result.
#[utoipa::path(post, path = "/v1/cases/{case}/stages/{stage}/answer", tag = "stages",
    request_body = AnswerStage,
    params(("case" = String, Path, description = "the case", example = "c-1"),
           ("stage" = String, Path, description = "the stage"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such case or stage", body = ErrorBody),
              (status = 409, description = "it is over already", body = ErrorBody),
              (status = 422, description = "a file was not uploaded", body = ErrorBody)))]
pub(super) async fn answer(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf((case, stage)): PathOf<(String, String)>,
    JsonOf(mut answer): JsonOf<AnswerStage>,
) -> Answered<Response> {
    answer.summary = redacted(answer.summary);
    let (case, stage) = (name(&case)?, name(&stage)?);
    if answer.summary.trim().is_empty() {
        return Err(Refused::new(Code::Invalid, "the summary is empty"));
    }
    let mut document = answer.document.unwrap_or_else(
        || json!({ "version": runtime::spool::CONTRACT_VERSION, "summary": answer.summary }),
    );
    redact(&mut document);
    let artifacts = {
        let (desk, named) = (Arc::clone(&desk), answer.artifacts);
        blocking(move || {
            asked::artifacts(&named, &*desk)
                .map_err(|missing| Refused::for_reasons(Code::BadDocuments, missing))
        })
        .await?
    };
    let document = document_body(&desk, &document).await?;
    let result = StageResult {
        summary: answer.summary,
        document,
        artifacts,
    };
    done(
        &desk,
        &wish,
        Command::AnswerStage {
            case,
            stage,
            result,
        },
    )
    .await
}

async fn document_body(desk: &Desk, document: &serde_json::Value) -> Answered<Body> {
    let text = document.to_string();
    if text.len() > DOCUMENT_BYTES {
        let limit = DOCUMENT_BYTES as u64;
        return Err(Refused::too_large(
            "the document",
            "result_limit_bytes",
            limit,
        ));
    }
    if text.len() <= MAX_INLINE_BYTES {
        return Ok(Body::Inline(text));
    }
    Ok(Body::Blob(desk.blobs.put_bytes(text.into_bytes()).await?))
}

/// Lets a stage begin that waits for it.
#[utoipa::path(post, path = "/v1/cases/{case}/stages/{stage}/approve", tag = "stages",
    request_body = ApproveStage,
    params(("case" = String, Path, description = "the case", example = "c-1"),
           ("stage" = String, Path, description = "the stage"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such case or stage", body = ErrorBody),
              (status = 409, description = "it waits for no approval", body = ErrorBody)))]
pub(super) async fn approve(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf((case, stage)): PathOf<(String, String)>,
    JsonOf(ApproveStage { note }): JsonOf<ApproveStage>,
) -> Answered<Response> {
    let (case, stage, note) = (name(&case)?, name(&stage)?, redacted(note));
    done(&desk, &wish, Command::ApproveStage { case, stage, note }).await
}

/// Refuses to let a stage begin: it fails, saying why.
#[utoipa::path(post, path = "/v1/cases/{case}/stages/{stage}/reject", tag = "stages",
    request_body = RejectStage,
    params(("case" = String, Path, description = "the case", example = "c-1"),
           ("stage" = String, Path, description = "the stage"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such case or stage", body = ErrorBody),
              (status = 409, description = "it waits for no approval", body = ErrorBody)))]
pub(super) async fn reject(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf((case, stage)): PathOf<(String, String)>,
    JsonOf(RejectStage { reason }): JsonOf<RejectStage>,
) -> Answered<Response> {
    let (case, stage, reason) = (name(&case)?, name(&stage)?, redacted(reason));
    done(
        &desk,
        &wish,
        Command::RejectStage {
            case,
            stage,
            reason,
        },
    )
    .await
}

/// Says whether an effect was done of which nobody knows: its stage goes on.
#[utoipa::path(post, path = "/v1/cases/{case}/stages/{stage}/settle", tag = "stages",
    request_body = SettleEffect,
    params(("case" = String, Path, description = "the case", example = "c-1"),
           ("stage" = String, Path, description = "the stage"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such case, stage or effect", body = ErrorBody),
              (status = 409, description = "its stage does not wait for it", body = ErrorBody)))]
pub(super) async fn settle(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf((case, stage)): PathOf<(String, String)>,
    JsonOf(said): JsonOf<SettleEffect>,
) -> Answered<Response> {
    let command = Command::SettleEffect {
        case: name(&case)?,
        stage: name(&stage)?,
        key: name(&said.effect)?,
        was_done: said.was_done,
        reason: redacted(said.reason),
    };
    done(&desk, &wish, command).await
}
