//! `GET /v1/targets`, `POST /v1/targets…`: what agents may reach.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rules::Command;
use rules::deed::Deed;
use rules::id::TargetName;

use super::name;
use crate::admin::convert::target;
use crate::admin::deeds;
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf};
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{
    CheckTarget, Code, Done, ErrorBody, Finding, RemoveTarget, Target, TargetChecked, TargetPage,
};
use crate::admin::wish::Wish;

/// The targets of the cluster.
#[utoipa::path(get, path = "/v1/targets", tag = "targets",
    responses((status = 200, description = "the targets", body = TargetPage)))]
pub(super) async fn list(State(desk): State<Shared>) -> Json<TargetPage> {
    let freshness = desk.freshness(false);
    let targets = desk.ledger.read(|state| {
        let targets = state.targets.values();
        targets.map(target::shown).collect()
    });
    Json(TargetPage { targets, freshness })
}

/// Says what a target is: a new one, or the same anew and whole.
#[utoipa::path(post, path = "/v1/targets", tag = "targets", request_body = Target,
    params(("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 400, description = "it is wrong in itself", body = ErrorBody)))]
pub(super) async fn put(
    State(desk): State<Shared>,
    wish: Wish,
    JsonOf(asked): JsonOf<Target>,
) -> Answered<Response> {
    let target = target::asked(asked)?;
    done(&desk, &wish, Command::PutTarget { target }).await
}

/// Takes a target away: nothing new is begun there.
#[utoipa::path(post, path = "/v1/targets/{target}/remove", tag = "targets",
    params(("target" = String, Path, description = "its name"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = RemoveTarget,
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such target", body = ErrorBody)))]
pub(super) async fn remove(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(target): PathOf<String>,
    JsonOf(RemoveTarget {}): JsonOf<RemoveTarget>,
) -> Answered<Response> {
    let target = name::<TargetName>(&target)?;
    done(&desk, &wish, Command::RemoveTarget { target }).await
}

/// Tries a target from this node: its secret, its address, its answer to reading.
#[utoipa::path(post, path = "/v1/targets/{target}/check", tag = "targets",
    params(("target" = String, Path, description = "its name")),
    request_body = CheckTarget,
    responses((status = 200, description = "what was found, good or bad", body = TargetChecked),
              (status = 404, description = "there is no such target", body = ErrorBody)))]
pub(super) async fn check(
    State(desk): State<Shared>,
    asker: Asker,
    PathOf(asked): PathOf<String>,
    JsonOf(how): JsonOf<CheckTarget>,
) -> Answered<Json<TargetChecked>> {
    let target = find(&desk, &asked)?;
    if !how.path.starts_with('/') {
        return Err(Refused::new(Code::Invalid, "a path begins with `/`"));
    }
    deeds::note(&desk, &asker, Deed::CheckTarget(target.name.clone())).await?;
    let found = desk.gateway.check(&target, &how.path).await;
    Ok(Json(TargetChecked {
        target: target.name.to_string(),
        node: desk.own_name(),
        is_good: found.iter().all(|finding| finding.is_good),
        findings: found
            .into_iter()
            .map(|finding| Finding {
                step: finding.step.to_owned(),
                is_good: finding.is_good,
                says: finding.says,
            })
            .collect(),
    }))
}

/// The target of that name, or the nearest one is named.
pub(super) fn find(desk: &Desk, text: &str) -> Answered<rules::target::Target> {
    let wanted = name::<TargetName>(text)?;
    desk.ledger.read(|state| {
        state.targets.get(&wanted).cloned().ok_or_else(|| {
            let known = state.targets.keys().map(TargetName::as_str);
            let near = config::near::hint(text, known);
            Refused::new(Code::NotFound, format!("there is no target {wanted}{near}"))
                .hint("domo target list names them")
        })
    })
}

async fn done(desk: &Desk, wish: &Wish, command: Command) -> Answered<Response> {
    wish.propose(desk, command, "").await?;
    let request_id = wish.id.to_string();
    Ok(wish.answer(StatusCode::OK, &Done { request_id }))
}
