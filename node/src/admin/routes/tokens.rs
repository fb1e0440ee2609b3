//! `GET /v1/tokens`, `POST /v1/tokens…`: the tokens with which new nodes join.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rules::Command;
use rules::id::TokenName;
use runtime::links::JoinToken;

use super::name;
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf};
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{
    Code, Done, ErrorBody, MintToken, Minted, Moment, RevokeToken, TokenLine, TokenPage,
};
use crate::admin::wish::Wish;

/// Addresses in one token: one that answers is enough.
const MAX_ADDRESSES: usize = 8;

/// The tokens that are still good.
#[utoipa::path(get, path = "/v1/tokens", tag = "nodes",
    responses((status = 200, description = "the tokens, without their secrets", body = TokenPage)))]
pub(super) async fn list(State(desk): State<Shared>) -> Json<TokenPage> {
    let tokens = desk.ledger.read(|state| {
        let tokens = state.tokens.iter();
        let line = |(name, token): (&TokenName, &rules::token::Token)| TokenLine {
            name: name.to_string(),
            minted_by: token.minted_by.clone(),
            minted: Moment::from_ms(token.minted_wall_ms),
            left_ms: token.until.0.saturating_sub(state.clock.0),
        };
        tokens.map(line).collect()
    });
    Json(TokenPage { tokens })
}

/// Makes a token. The same request again makes another: the secret was shown once.
#[utoipa::path(post, path = "/v1/tokens", tag = "nodes",
    params(("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = MintToken,
    responses((status = 201, description = "the token, shown once", body = Minted),
              (status = 409, description = "this node has no links to others", body = ErrorBody)))]
pub(super) async fn mint(
    State(desk): State<Shared>,
    wish: Wish,
    JsonOf(how): JsonOf<MintToken>,
) -> Answered<Response> {
    let Some((fingerprint, address)) = &desk.entrance else {
        let what = "this node is a cluster of one without links: nothing can join it";
        return Err(Refused::new(Code::WrongState, what)
            .hint("begin a cluster with `domo cluster init --data DIR`, then run its node"));
    };
    let token = JoinToken::new(*fingerprint, addresses(&desk, address)).map_err(|error| {
        Refused::new(Code::WrongState, format!("no token can be made: {error}"))
    })?;
    let hash = token.secret_hash();
    let name = TokenName::new(&format!(
        "t-{:02x}{:02x}{:02x}{:02x}",
        hash[0], hash[1], hash[2], hash[3]
    ))?;
    let command = Command::MintToken {
        token: name.clone(),
        hash,
        valid_ms: how.valid_ms,
    };
    wish.propose(&desk, command, "").await?;
    Ok(wish.answer(
        StatusCode::CREATED,
        &Minted {
            name: name.to_string(),
            token: token.to_string(),
            valid_ms: how.valid_ms,
            request_id: wish.id.to_string(),
        },
    ))
}

/// Makes a token worthless.
#[utoipa::path(post, path = "/v1/tokens/{token}/revoke", tag = "nodes",
    params(("token" = String, Path, description = "its name"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = RevokeToken,
    responses((status = 200, description = "it is so", body = Done),
              (status = 404, description = "there is no such token", body = ErrorBody)))]
pub(super) async fn revoke(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(token): PathOf<String>,
    JsonOf(RevokeToken {}): JsonOf<RevokeToken>,
) -> Answered<Response> {
    let token = name::<TokenName>(&token)?;
    wish.propose(&desk, Command::RevokeToken { token }, "")
        .await?;
    let request_id = wish.id.to_string();
    Ok(wish.answer(StatusCode::OK, &Done { request_id }))
}

/// Where a newcomer may ask: this node first.
fn addresses(desk: &Desk, own: &str) -> Vec<String> {
    let mut all = vec![own.to_owned()];
    desk.ledger.read(|state| {
        let others = state
            .nodes
            .values()
            .filter_map(|node| node.facts.address.clone());
        all.extend(others.filter(|address| address != own));
    });
    all.truncate(MAX_ADDRESSES);
    all
}
