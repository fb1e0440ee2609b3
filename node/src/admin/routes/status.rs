//! `GET /v1/status`, `GET /v1/clock`, `GET /v1/limits`: how the node and its cluster are.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use runtime::clock;

use crate::admin::desk::Shared;
use crate::admin::wire::{Clock, Limits, Moment, Status};

/// How the node and its cluster are, as this node knows it; answers without a quorum, too.
#[utoipa::path(get, path = "/v1/status", tag = "node",
    responses((status = 200, description = "how they are", body = Status)))]
pub(super) async fn status(State(desk): State<Shared>) -> impl IntoResponse {
    let body: Bytes = desk.board.body(&desk).await;
    ([(header::CONTENT_TYPE, "application/json")], body)
}

/// The ledger's clock, for request ids that say when they were made.
#[utoipa::path(get, path = "/v1/clock", tag = "node",
    responses((status = 200, description = "the time", body = Clock)))]
pub(super) async fn clock(State(desk): State<Shared>) -> Json<Clock> {
    let (clock_ms, applied_index) = desk.ledger.read(|state| (state.clock.0, state.index));
    let wall = Moment::from_ms(clock::wall().0);
    Json(Clock {
        clock_ms,
        applied_index,
        wall,
    })
}

/// What this node takes at its door, so that nothing is sent in vain.
#[utoipa::path(get, path = "/v1/limits", tag = "node",
    responses((status = 200, description = "its limits", body = Limits)))]
pub(super) async fn limits(State(desk): State<Shared>) -> Json<Limits> {
    let limits = &desk.limits;
    Json(Limits {
        blob_bytes: limits.blob_bytes,
        case_bytes: limits.case_bytes,
        attachments_per_case: limits.attachments as u64,
        brief_bytes: limits.brief_bytes,
    })
}
