//! `POST /v1/apply`: documents become so, all of them or none; or what that would change.
//!
//! # Why
//! The files that documents name are blobs, uploaded before: whatever fails on the way there has
//! changed nothing, and what nobody names is removed after a day. Then one entry changes all.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use rules::team::Document as RulesDocument;
use rules::{Command, Outcome, Rejection};

use super::blocking;
use crate::admin::convert::difference::{Compared, compare};
use crate::admin::convert::document::Reading;
use crate::admin::desk::Shared;
use crate::admin::extract::{JsonOf, QueryOf};
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{ApplyQuery, Code, Difference, Document, ErrorBody};
use crate::admin::wish::Wish;

/// Describes teams, workers and playbooks: what is described becomes so, in one entry.
///
/// Upload the files that documents name first. Show a dry run's difference to a person, then give
/// its `basis`: what is done is then what was shown.
#[utoipa::path(post, path = "/v1/apply", tag = "apply", request_body = Vec<Document>,
    params(ApplyQuery, ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "what changed, or would change", body = Difference),
              (status = 409, description = "the difference is another one now", body = ErrorBody),
              (status = 413, description = "more than one entry can hold", body = ErrorBody),
              (status = 422, description = "the documents contradict something", body = ErrorBody)))]
pub(super) async fn apply(
    State(desk): State<Shared>,
    wish: Wish,
    QueryOf(query): QueryOf<ApplyQuery>,
    JsonOf(documents): JsonOf<Vec<Document>>,
) -> Answered<Response> {
    let put = read(&desk, documents).await?;
    let (compared, checked) = desk.ledger.read(|state| {
        let compared = compare(state, &put, query.prune);
        let checked = rules::apply::check(state, &put, &compared.remove);
        (compared, checked)
    });
    if query.dry_run {
        let described = Command::ApplyDocuments {
            put,
            remove: compared.remove.clone(),
        };
        wish.may(&desk, &described)?;
        checked.map_err(|rejection| refused(&rejection))?;
        return Ok(axum::Json(difference(compared, None)).into_response());
    }
    // The wish is what was described and how much shall go; what goes is read off the state, and
    // would be another list when the wish is repeated.
    let beside = format!("{:?}", query.prune);
    let remove = compared.remove.clone();
    let wished = Command::ApplyDocuments {
        put: put.clone(),
        remove: Vec::new(),
    };
    let request = wish.request(&wished, &beside);
    let is_other = query
        .basis
        .as_ref()
        .is_some_and(|basis| *basis != compared.basis);
    if is_other
        && desk
            .ledger
            .read(|state| state.requests.answered(&request).is_none())
    {
        let stale = Refused::new(
            Code::Stale,
            "what there is has changed since it was compared",
        );
        return Err(wish.refused(stale.hint("look at the difference again")));
    }
    let command = Command::ApplyDocuments { put, remove };
    let outcome = wish
        .bring(&desk, command, request)
        .await
        .map_err(|mut refused| {
            refused.0.code = documents_code(refused.0.code);
            refused
        })?;
    let mut difference = difference(compared, Some(wish.id.to_string()));
    if let Outcome::Applied {
        created,
        changed,
        unchanged,
        removed,
    } = outcome
    {
        difference.created = created;
        difference.changed = changed;
        difference.unchanged = unchanged;
        difference.removed = removed;
    }
    Ok(wish.answer(StatusCode::OK, &difference))
}

fn refused(rejection: &Rejection) -> Refused {
    let mut refused = Refused::from(rejection);
    refused.0.code = documents_code(refused.0.code);
    refused
}

/// What is wrong with documents is theirs to mend, not the request's.
fn documents_code(code: Code) -> Code {
    if code == Code::Invalid {
        Code::BadDocuments
    } else {
        code
    }
}

fn difference(compared: Compared, request_id: Option<String>) -> Difference {
    let removed = u32::try_from(compared.remove.len()).unwrap_or(u32::MAX);
    Difference {
        is_dry_run: request_id.is_none(),
        created: compared.created,
        changed: compared.changed,
        unchanged: compared.unchanged,
        removed,
        documents: compared.changes,
        basis: compared.basis,
        request_id,
    }
}

/// Takes documents as the rules', with the blobs that they name.
async fn read(desk: &Shared, documents: Vec<Document>) -> Answered<Vec<RulesDocument>> {
    let desk = Arc::clone(desk);
    blocking(move || {
        let reading = Reading {
            defaults: &desk.agents,
            blobs: &*desk,
        };
        reading
            .documents(&documents)
            .map_err(|faults| Refused::for_reasons(Code::BadDocuments, faults))
    })
    .await
}
