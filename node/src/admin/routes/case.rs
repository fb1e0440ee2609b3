//! `GET /v1/cases/{case}`: everything about a case, open or closed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rules::Rejection;
use rules::case::Case;
use rules::id::CaseId;

use super::{blocking, name};
use crate::admin::convert::case::view;
use crate::admin::desk::Shared;
use crate::admin::extract::{PathOf, QueryOf};
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{CaseView, Code, Consistency, ErrorBody, FreshQuery};

/// Everything about a case. Linearizable without `consistency=local`.
#[utoipa::path(get, path = "/v1/cases/{case}", tag = "cases",
    params(("case" = String, Path, description = "its number", example = "c-1"), FreshQuery),
    responses((status = 200, description = "the case", body = CaseView),
              (status = 404, description = "there is no such case", body = ErrorBody),
              (status = 503, description = "no quorum answers", body = ErrorBody)))]
pub(super) async fn show(
    State(desk): State<Shared>,
    PathOf(case): PathOf<String>,
    QueryOf(query): QueryOf<FreshQuery>,
) -> Answered<Json<CaseView>> {
    let id: CaseId = name(&case)?;
    let freshness = desk.fresh(query.consistency).await?;
    let shown = look(&desk, id, move |case| view(case, freshness)).await?;
    Ok(Json(shown))
}

/// Looks at a case, wherever it is: in the state while it is open, then in the archive.
pub(super) async fn look<T: Send + 'static>(
    desk: &Shared,
    id: CaseId,
    look: impl FnOnce(&Case) -> T + Send + 'static,
) -> Answered<T> {
    let (looked, look) = desk.ledger.read(|state| match state.cases.get(&id) {
        Some(case) => (Some(look(case)), None),
        None => (None, Some(look)),
    });
    match (looked, look) {
        (Some(looked), _) => Ok(looked),
        (None, Some(look)) => {
            // It is in the archive before it leaves the state; who followed it comes at that moment.
            if let Some(closed) = desk.ledger.archive().recent(id) {
                return Ok(look(&closed));
            }
            let desk = Arc::clone(desk);
            blocking(move || {
                let closed = desk.ledger.archive().case(id)?;
                let closed = closed.as_ref().map(look);
                closed.ok_or_else(|| no_case(id))
            })
            .await
        }
        (None, None) => Err(no_case(id)),
    }
}

/// Looks at a case as it is here, and only if it is not known here asks the others: it may have
/// been opened there a moment ago.
pub(super) async fn look_soon<T: Send + 'static>(
    desk: &Shared,
    id: CaseId,
    see: impl Fn(&Case) -> T + Clone + Send + 'static,
) -> Answered<T> {
    match look(desk, id, see.clone()).await {
        Err(refused) if refused.0.code == Code::NotFound => {
            desk.fresh(Consistency::Linearizable).await?;
            look(desk, id, see).await
        }
        looked => looked,
    }
}

fn no_case(id: CaseId) -> Refused {
    let mut refused = Refused::from(&Rejection::NoCase(id));
    refused.0.message = format!("there is no case {id}");
    refused
}
