//! `POST /v1/chaos/…`: faults that are made on purpose, on the node that is asked.
//!
//! # Why
//! They pass no ledger: what is broken on purpose must not lean on what is broken, and each node
//! is broken by itself.

use axum::Json;
use axum::extract::State;

use crate::admin::desk::Shared;
use crate::admin::extract::JsonOf;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{Code, ErrorBody, OrderManager, Ordered};

/// Holds the Manager of this node dead, lets him live again, or has him panic.
#[utoipa::path(post, path = "/v1/chaos/manager", tag = "chaos",
    request_body = OrderManager,
    responses((status = 200, description = "it is so", body = Ordered),
              (status = 400, description = "the wish is not understood", body = ErrorBody)))]
pub(super) async fn manager(
    State(desk): State<Shared>,
    JsonOf(wish): JsonOf<OrderManager>,
) -> Answered<Json<Ordered>> {
    if !desk.here.order_manager(wish.order) {
        return Err(Refused::new(Code::Failed, "this node has no personas"));
    }
    let node = desk.node.to_string();
    Ok(Json(Ordered { node }))
}
