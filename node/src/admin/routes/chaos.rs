//! `/v1/chaos…`: breaks the node that is asked, where its settings allow that, and begins and ends runs.
//!
//! # Why
//! A persona must crash also while there is no quorum, and that says nothing about how things ought to
//! be: the ledger only hears that it was done. A run is of many nodes, so it is an entry before
//! anything is done.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rules::Command;
use rules::chaos::{self, Run};
use rules::deed::Deed;
use runtime::clock;

use crate::admin::chaos::{Chaos, child, crashed};
use crate::admin::convert;
use crate::admin::deeds;
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf};
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{
    BeginChaos, ChaosView, Code, CrashPersona, Done, EndChaos, ErrorBody, HoldManager, SetClock,
};
use crate::admin::wish::Wish;

/// A clock is off by so much at most, either way.
const MAX_OFF_S: u32 = 24 * 60 * 60;

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

/// Sets this node's clock off: what it shows, signs and says of time is wrong from then on, until it is
/// set to 0 or its daemon ends.
#[utoipa::path(post, path = "/v1/chaos/clock", tag = "chaos", request_body = SetClock,
    responses((status = 204, description = "it is so"),
              (status = 400, description = "that is more than a day", body = ErrorBody),
              (status = 403, description = "this node may not be broken", body = ErrorBody)))]
pub(super) async fn set_clock(
    State(desk): State<Shared>,
    asker: Asker,
    JsonOf(SetClock { ahead_s }): JsonOf<SetClock>,
) -> Answered<StatusCode> {
    allowed(&desk)?;
    if ahead_s.unsigned_abs() > MAX_OFF_S {
        let what = format!("{ahead_s} s is more than a day");
        return Err(Refused::new(Code::Invalid, what).hint(
            "certificates are good from a day before they were made: a clock that is further off \
             is one of no node",
        ));
    }
    deeds::note(&desk, &asker, Deed::SetClock { ahead_s }).await?;
    allowed(&desk)?;
    clock::set_wall_ahead(ahead_s);
    Ok(StatusCode::NO_CONTENT)
}

fn allowed(desk: &Desk) -> Answered<&Chaos> {
    desk.chaos.as_ref().ok_or_else(|| {
        Refused::new(Code::NotYours, "this node may not be broken on purpose")
            .hint("its settings allow it with chaos.allowed = true")
    })
}

/// What can be broken on this node, and the cluster's run.
#[utoipa::path(get, path = "/v1/chaos", tag = "chaos",
    responses((status = 200, description = "as this node knows it", body = ChaosView)))]
pub(super) async fn show(State(desk): State<Shared>) -> Json<ChaosView> {
    let lacks = match &desk.chaos {
        Some(chaos) => chaos.lacks(&desk.ledger).await,
        None => std::collections::BTreeMap::new(),
    };
    let run = desk.ledger.read(|state| {
        let run = Run::of(state)?;
        Some(convert::chaos::shown(state, run))
    });
    Json(ChaosView {
        node: desk.node.to_string(),
        name: desk.own_name(),
        is_allowed: desk.chaos.is_some(),
        lacks,
        run,
    })
}

/// Begins a run: each node that it concerns arms for it, and it starts once all have.
#[utoipa::path(post, path = "/v1/chaos", tag = "chaos", request_body = BeginChaos,
    params(("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "the plan is recorded", body = Done),
              (status = 400, description = "it is wrong in itself", body = ErrorBody),
              (status = 403, description = "this node may not be broken", body = ErrorBody),
              (status = 409, description = "there is a run already, or a node is not up", body = ErrorBody)))]
pub(super) async fn begin(
    State(desk): State<Shared>,
    wish: Wish,
    JsonOf(asked): JsonOf<BeginChaos>,
) -> Answered<Response> {
    let plan = convert::chaos::asked(asked, |name| super::nodes::find(&desk, name))?;
    let command = Command::Chaos(chaos::Wish::Begin(plan));
    wish.may(&desk, &command)?;
    allowed(&desk)?;
    done(&desk, &wish, command).await
}

/// Ends a run; said again of one that is ending, it is gone.
#[utoipa::path(post, path = "/v1/chaos/runs/{run}/end", tag = "chaos", request_body = EndChaos,
    params(("run" = u64, Path, description = "the entry that began it"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done)))]
pub(super) async fn end(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(run): PathOf<u64>,
    JsonOf(EndChaos {}): JsonOf<EndChaos>,
) -> Answered<Response> {
    let command = Command::Chaos(chaos::Wish::End { run });
    wish.may(&desk, &command)?;
    done(&desk, &wish, command).await
}

async fn done(desk: &Desk, wish: &Wish, command: Command) -> Answered<Response> {
    wish.propose(desk, command, "").await?;
    let request_id = wish.id.to_string();
    Ok(wish.answer(StatusCode::OK, &Done { request_id }))
}
