//! `POST /v1/chaos/…`: breaks the node that is asked, where its settings allow that.
//!
//! # Why
//! It must work while there is no quorum, and says nothing about how things ought to be: the ledger
//! only hears that it was done.

use axum::extract::State;
use axum::http::StatusCode;
use rules::deed::Deed;

use crate::admin::chaos::{Chaos, child, crashed};
use crate::admin::deeds;
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::JsonOf;
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{Code, CrashPersona, ErrorBody, HoldManager};

/// Has a persona of this node panic: its supervisor starts it again.
#[utoipa::path(post, path = "/v1/chaos/crash", tag = "chaos", request_body = CrashPersona,
    responses((status = 204, description = "it is told to, if it runs here"),
              (status = 403, description = "this node may not be broken", body = ErrorBody),
              (status = 404, description = "there is no such persona", body = ErrorBody)))]
pub(super) async fn crash(
    State(desk): State<Shared>,
    asker: Asker,
    JsonOf(asked): JsonOf<CrashPersona>,
) -> Answered<StatusCode> {
    allowed(&desk)?;
    let found = desk
        .ledger
        .read(|state| child(state, desk.node, &asked.persona));
    let found = found.ok_or_else(|| {
        let shown = config::mistake::shown(&asked.persona);
        Refused::new(Code::NotFound, format!("there is no persona {shown}"))
            .hint("manager, janitor, butler TEAM or worker TEAM/NAME")
    })?;
    deeds::note(&desk, &asker, crashed(&found)).await?;
    allowed(&desk)?.crash(found);
    Ok(StatusCode::NO_CONTENT)
}

/// Holds the Manager dead while this node leads, or lets him live again.
#[utoipa::path(post, path = "/v1/chaos/manager", tag = "chaos", request_body = HoldManager,
    responses((status = 204, description = "it is so"),
              (status = 403, description = "this node may not be broken", body = ErrorBody)))]
pub(super) async fn hold(
    State(desk): State<Shared>,
    asker: Asker,
    JsonOf(asked): JsonOf<HoldManager>,
) -> Answered<StatusCode> {
    allowed(&desk)?;
    let deed = if asked.is_held {
        Deed::HoldManager
    } else {
        Deed::ReleaseManager
    };
    deeds::note(&desk, &asker, deed).await?;
    allowed(&desk)?.hold_manager(asked.is_held);
    Ok(StatusCode::NO_CONTENT)
}

fn allowed(desk: &Desk) -> Answered<&Chaos> {
    desk.chaos.as_ref().ok_or_else(|| {
        Refused::new(Code::NotYours, "this node may not be broken on purpose")
            .hint("its settings allow it with chaos.allowed = true")
    })
}
