//! `GET|POST /v1/policies…`: what the organisation forbids beyond the matrix.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use rules::Command;
use rules::demand;
use rules::read::Read;

use super::humans::done;
use super::{blocking, name};
use crate::admin::desk::Shared;
use crate::admin::extract::{JsonOf, PathOf};
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{Done, ErrorBody, Policy, PolicyChecked, PolicyPage, RemovePolicy};
use crate::admin::wish::Wish;

/// The organisation's policies, the matrix beside which they stand, and what they can speak of.
#[utoipa::path(get, path = "/v1/policies", tag = "policies",
    responses((status = 200, description = "the policies", body = PolicyPage),
              (status = 403, description = "there is no right to it", body = ErrorBody)))]
pub(super) async fn list(State(desk): State<Shared>) -> Json<PolicyPage> {
    let policies = desk.ledger.read(|state| {
        let policies = state.people.policies.iter();
        let policy = |(name, text): (&rules::id::PolicyName, &String)| Policy {
            name: name.to_string(),
            text: text.clone(),
        };
        policies.map(policy).collect()
    });
    Json(PolicyPage {
        policies,
        matrix: config::policy::MATRIX.to_owned(),
        schema: config::policy::SCHEMA.to_owned(),
    })
}

/// Says what the organisation forbids, under a name.
#[utoipa::path(post, path = "/v1/policies", tag = "policies", request_body = Policy,
    params(("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so", body = Done),
              (status = 400, description = "it is no policy, or would give rights", body = ErrorBody),
              (status = 403, description = "there is no right to it", body = ErrorBody)))]
pub(super) async fn put(
    State(desk): State<Shared>,
    wish: Wish,
    JsonOf(policy): JsonOf<Policy>,
) -> Answered<Response> {
    let command = Command::PutPolicy {
        policy: name(&policy.name)?,
        text: policy.text,
    };
    done(&desk, &wish, command).await
}

/// Says what is wrong with a policy, and takes nothing in.
#[utoipa::path(post, path = "/v1/policies/check", tag = "policies", request_body = Policy,
    responses((status = 200, description = "what is wrong with it", body = PolicyChecked),
              (status = 403, description = "there is no right to it", body = ErrorBody)))]
pub(super) async fn check(
    State(desk): State<Shared>,
    asker: Asker,
    JsonOf(policy): JsonOf<Policy>,
) -> Answered<Json<PolicyChecked>> {
    let (who, demand) = (asker.principal(), demand::cluster(Read::Policies.right()));
    let allowed = desk.ledger.allows_policies(&who, demand);
    allowed.map_err(|rejection| Refused::from(&rejection))?;
    let called = name(&policy.name)?;
    let faults = blocking(move || Ok(desk.ledger.policy_faults(&called, &policy.text))).await?;
    Ok(Json(PolicyChecked { faults }))
}

/// Takes a policy away.
#[utoipa::path(post, path = "/v1/policies/{policy}/remove", tag = "policies",
    params(("policy" = String, Path, description = "its name"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = RemovePolicy,
    responses((status = 200, description = "it is so", body = Done),
              (status = 403, description = "there is no right to it", body = ErrorBody),
              (status = 404, description = "there is no such policy", body = ErrorBody)))]
pub(super) async fn remove(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(policy): PathOf<String>,
    JsonOf(RemovePolicy {}): JsonOf<RemovePolicy>,
) -> Answered<Response> {
    let policy = name(&policy)?;
    done(&desk, &wish, Command::RemovePolicy { policy }).await
}
