//! A person's wish on its way to the ledger: who asks, under which request id, and what came of it.
//!
//! # Why
//! The id makes a repetition safe. A client that sends none gets one that says when it was made, so
//! that it can repeat by it, and learn from it that the memory for ids is over.

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use rand::RngExt as _;
use rules::id::RequestId;
use rules::{Command, Outcome, Proposal, Rejection, Request, demand};
use runtime::clock;
use runtime::ledger::ProposeError;
use serde::Serialize;

use super::convert::asked::digest;
use super::desk::{Desk, Shared};
use super::people::Asker;
use super::refused::{Answered, Refused};
use super::wire::{Code, REQUEST_ID};

/// A wish: its name, and whose it is.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) id: RequestId,
    asker: Asker,
}

impl FromRequestParts<Shared> for Wish {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, desk: &Shared) -> Answered<Self> {
        let asker = Asker::from_request_parts(parts, desk).await?;
        let id = match parts.headers.get(REQUEST_ID) {
            Some(given) => {
                let text = given.to_str().unwrap_or_default();
                let wrong =
                    |why: String| Refused::new(Code::Invalid, format!("header Request-Id: {why}"));
                let id = RequestId::new(text).map_err(|bad| wrong(bad.to_string()))?;
                if id.is_of_persona() {
                    return Err(wrong(format!(
                        "{id} is one of the personas' own; take another"
                    )));
                }
                id
            }
            None => made(desk)?,
        };
        Ok(Self { id, asker })
    }
}

fn made(desk: &Desk) -> Answered<RequestId> {
    let word: u128 = rand::rng().random();
    let now = desk.ledger.read(|state| state.clock);
    Ok(RequestId::stamped(&format!("{word:032x}"), now)?)
}

impl Wish {
    /// Brings a command before the cluster. `beside` is what belongs to the wish and not to its
    /// command.
    pub(super) async fn propose(
        &self,
        desk: &Desk,
        command: Command,
        beside: &str,
    ) -> Answered<Outcome> {
        let request = self.request(&command, beside);
        self.bring(desk, command, request).await
    }

    /// Refuses what its asker may not ask, before anything is proposed.
    pub(super) fn may(&self, desk: &Desk, command: &Command) -> Answered<()> {
        let asker = self.asker.principal();
        let demands = desk
            .ledger
            .read(|state| demand::of_command(state, &asker, command));
        let allowed = desk.ledger.allows(&asker, demands);
        allowed.map_err(|rejection| self.refused(Refused::from(&rejection)))
    }

    /// Whose it is, in words.
    pub(super) fn by(&self) -> String {
        self.asker.principal().to_string()
    }

    /// The same asker's wish under another name.
    pub(super) fn under(&self, id: RequestId) -> Self {
        let asker = self.asker.clone();
        Self { id, asker }
    }

    /// How the rules know it.
    pub(super) fn request(&self, command: &Command, beside: &str) -> Request {
        Request {
            id: self.id.clone(),
            digest: digest(&self.asker.principal(), command, beside),
        }
    }

    /// Brings a command before the cluster under a request of this wish.
    pub(super) async fn bring(
        &self,
        desk: &Desk,
        command: Command,
        request: Request,
    ) -> Answered<Outcome> {
        let proposal = Proposal {
            request: Some(request),
            principal: self.asker.principal(),
            wall_ms: clock::wall().0,
            command,
            decision: None,
        };
        let proposed = tokio::time::timeout(desk.limits.request, desk.ledger.propose(proposal));
        let verdict = match proposed.await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) => return Err(self.refused(Refused::from(error))),
            Err(_) => return Err(self.refused(Refused::from(ProposeError::Unknown))),
        };
        verdict.map_err(|rejection| {
            let refused = if let Rejection::NoTeam(team) = &rejection {
                desk.ledger.read(|state| Refused::no_team(state, team))
            } else {
                Refused::from(&rejection)
            };
            self.refused(refused)
        })
    }

    /// A refusal of this wish.
    pub(super) fn refused(&self, refused: Refused) -> Refused {
        refused.of_request(self.id.as_str())
    }

    /// The answer to it.
    pub(super) fn answer(&self, status: axum::http::StatusCode, body: &impl Serialize) -> Response {
        let mut response = (status, axum::Json(body)).into_response();
        if let Ok(id) = HeaderValue::from_str(self.id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
}
