//! `GET /v1/secrets`, `POST /v1/secrets/{target}…`: what this node shows targets.
//!
//! # Invariant
//! A secret comes in here and never goes out again; it is no part of any command.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rules::deed::Deed;
use rules::id::TargetName;
use runtime::gateway::{Secret, SecretError};

use super::{blocking, name};
use crate::admin::deeds;
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf};
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{
    Code, ErrorBody, RemoveSecret, SecretDone, SecretLine, SecretPage, SetSecret,
};
use crate::admin::wish::Wish;

/// For which targets this node has secrets.
#[utoipa::path(get, path = "/v1/secrets", tag = "targets",
    responses((status = 200, description = "targets and headers", body = SecretPage)))]
pub(super) async fn list(State(desk): State<Shared>) -> Json<SecretPage> {
    let known = desk.gateway.secrets().watch().borrow().clone();
    let line = |(target, header): (TargetName, String)| SecretLine {
        target: target.to_string(),
        header,
    };
    Json(SecretPage {
        node: desk.own_name(),
        secrets: known.into_iter().map(line).collect(),
    })
}

/// Gives this node, and no other, a target's secret.
#[utoipa::path(post, path = "/v1/secrets/{target}", tag = "targets",
    params(("target" = String, Path, description = "the target's name"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = SetSecret,
    responses((status = 200, description = "it has it", body = SecretDone),
              (status = 400, description = "no header can carry it", body = ErrorBody)))]
pub(super) async fn set(
    State(desk): State<Shared>,
    asker: Asker,
    wish: Wish,
    PathOf(target): PathOf<String>,
    JsonOf(given): JsonOf<SetSecret>,
) -> Answered<Response> {
    let target = name::<TargetName>(&target)?;
    let secret =
        Secret::new(given.header.as_deref(), &given.secret).map_err(|error| refused(&error))?;
    deeds::note(&desk, &asker, Deed::SetSecret(target.clone())).await?;
    let gateway = desk.gateway.clone();
    blocking(move || {
        gateway
            .secrets()
            .set(&target, &secret)
            .map_err(|error| refused(&error))
    })
    .await?;
    Ok(done(&desk, &wish))
}

/// Has this node forget a target's secret.
#[utoipa::path(post, path = "/v1/secrets/{target}/remove", tag = "targets",
    params(("target" = String, Path, description = "the target's name"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = RemoveSecret,
    responses((status = 200, description = "it is forgotten", body = SecretDone),
              (status = 404, description = "it has none", body = ErrorBody)))]
pub(super) async fn remove(
    State(desk): State<Shared>,
    asker: Asker,
    wish: Wish,
    PathOf(target): PathOf<String>,
    JsonOf(RemoveSecret {}): JsonOf<RemoveSecret>,
) -> Answered<Response> {
    let target = name::<TargetName>(&target)?;
    if !desk
        .gateway
        .secrets()
        .watch()
        .borrow()
        .contains_key(&target)
    {
        return Err(none(&desk, &target));
    }
    deeds::note(&desk, &asker, Deed::RemoveSecret(target.clone())).await?;
    let (gateway, of) = (desk.gateway.clone(), target.clone());
    let removed = blocking(move || {
        let removed = gateway.secrets().remove(&of);
        removed.map_err(|error| Refused::new(Code::Failed, format!("it stays: {error}")))
    });
    if removed.await? {
        return Ok(done(&desk, &wish));
    }
    Err(none(&desk, &target))
}

fn none(desk: &Desk, target: &TargetName) -> Refused {
    let what = format!("node {} has no secret of {target}", desk.own_name());
    Refused::new(Code::NotFound, what)
        .hint("`domo secret list` names those of the node that is asked")
}

fn done(desk: &Desk, wish: &Wish) -> Response {
    let done = SecretDone {
        node: desk.own_name(),
        request_id: wish.id.to_string(),
    };
    wish.answer(StatusCode::OK, &done)
}

fn refused(error: &SecretError) -> Refused {
    let code = match error {
        SecretError::Unfit(_) => Code::Invalid,
        SecretError::Unwritten(_) | SecretError::Unread { .. } => Code::Failed,
    };
    Refused::new(code, error.to_string())
}
