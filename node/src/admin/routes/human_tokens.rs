//! `POST /v1/humans/{human}/tokens…`: the tokens by which humans are known.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rand::RngExt as _;
use rules::Command;
use rules::id::{HumanName, TeamName, TokenName};
use sha2::{Digest as _, Sha256};

use super::humans::done;
use super::name;
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf};
use crate::admin::people::TOKEN_PREFIX;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{Code, Done, ErrorBody, MintHumanToken, Minted, RevokeToken};
use crate::admin::wish::Wish;

/// Makes a token. The same request again makes another: the secret was shown once. For somebody else
/// an admin makes any, a lead those that are good for one team that they lead.
#[utoipa::path(post, path = "/v1/humans/{human}/tokens", tag = "humans",
    params(("human" = String, Path, description = "whose"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = MintHumanToken,
    responses((status = 201, description = "the token, shown once", body = Minted),
              (status = 403, description = "there is no right to it", body = ErrorBody),
              (status = 404, description = "there is no such human or team", body = ErrorBody)))]
pub(super) async fn mint(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(human): PathOf<String>,
    JsonOf(how): JsonOf<MintHumanToken>,
) -> Answered<Response> {
    let secret: [u8; 32] = rand::rng().random();
    let mut shown = TOKEN_PREFIX.to_owned();
    for byte in secret {
        // Writing to a string cannot fail.
        let _ = write!(shown, "{byte:02x}");
    }
    let hash: [u8; 32] = Sha256::digest(&shown).into();
    let token = TokenName::new(&format!(
        "t-{:02x}{:02x}{:02x}{:02x}",
        hash[0], hash[1], hash[2], hash[3]
    ))?;
    let human = name::<HumanName>(&human)?;
    let command = Command::MintHumanToken {
        human: human.clone(),
        token: token.clone(),
        hash,
        valid_ms: how.valid_ms,
        team: how.team.as_deref().map(name::<TeamName>).transpose()?,
    };
    if how.only_if_none {
        wish.may(&desk, &command)?;
        has_none(&desk, &human).map_err(|refused| wish.refused(refused))?;
    }
    let proposed = wish.propose(&desk, command, "").await;
    proposed.map_err(|refused| {
        if refused.0.code == Code::NotYours && how.team.is_none() {
            return refused.hint(
                "a lead makes tokens for other people that are good for one team that they lead: \
                 `domo human token NAME --team TEAM`",
            );
        }
        refused
    })?;
    let minted = Minted {
        name: token.to_string(),
        token: shown,
        valid_ms: how.valid_ms,
        request_id: wish.id.to_string(),
    };
    Ok(wish.answer(StatusCode::CREATED, &minted))
}

/// Refuses whoever has a token that is still good.
fn has_none(desk: &Desk, human: &HumanName) -> Answered<()> {
    let has_one = desk.ledger.read(|state| {
        let known = state.people.humans.get(human);
        known.is_some_and(|known| !known.tokens.is_empty())
    });
    if !has_one {
        return Ok(());
    }
    let refused = Refused::new(Code::WrongState, format!("{human} has a token already"));
    Err(refused.hint(format!("`domo human token {human}` makes another one")))
}

/// Makes a token worthless.
#[utoipa::path(post, path = "/v1/humans/{human}/tokens/{token}/revoke", tag = "humans",
    params(("human" = String, Path, description = "whose"),
           ("token" = String, Path, description = "its name"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = RevokeToken,
    responses((status = 200, description = "it is so", body = Done),
              (status = 403, description = "there is no right to it", body = ErrorBody),
              (status = 404, description = "there is no such token", body = ErrorBody)))]
pub(super) async fn revoke(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf((human, token)): PathOf<(String, String)>,
    JsonOf(RevokeToken {}): JsonOf<RevokeToken>,
) -> Answered<Response> {
    let command = Command::RevokeHumanToken {
        human: name(&human)?,
        token: name(&token)?,
    };
    done(&desk, &wish, command).await
}
