//! `GET|POST /v1/humans…`: accounts and roles.
//!
//! # Why
//! A roster that is larger than an entry is sent in pieces, each under an id made from the wish's:
//! said again, each piece is the same one, and the last one makes all of it so.

use std::ops::Bound;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use rules::human::{ADMIN, RoleChange};
use rules::id::{BadName, HumanName, RequestId, TeamName};
use rules::read::Read;
use rules::roster::{self, HumanSpec};
use rules::{Command, Outcome, Rejection, demand};
use sha2::{Digest as _, Sha256};

use super::{name, page};
use crate::admin::convert::human::{line, role, spec, view};
use crate::admin::convert::roster::{difference, left_alone, stay_leads};
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{JsonOf, PathOf, QueryOf};
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{
    Code, Done, ErrorBody, HumanLine, HumanPage, HumanQuery, HumanView, HumansPut, PutHumans,
    PutHumansQuery, RemoveHuman, SetHumanRole,
};
use crate::admin::wish::Wish;

/// Accounts that are looked at while the state is held.
const SLICE: usize = 4096;

/// Humans of the teams that the asker may read, in the order of their names.
#[utoipa::path(get, path = "/v1/humans", tag = "humans", params(HumanQuery),
    responses((status = 200, description = "a page of humans", body = HumanPage),
              (status = 403, description = "there is no right to it", body = ErrorBody)))]
pub(super) async fn list(
    State(desk): State<Shared>,
    asker: Asker,
    QueryOf(query): QueryOf<HumanQuery>,
) -> Answered<Json<HumanPage>> {
    let limit = page(query.limit)?;
    let team = query.team.as_deref().map(name::<TeamName>).transpose()?;
    if let Some(team) = &team {
        desk.demand(&asker, demand::in_team(Read::Humans.right(), team))?;
    }
    let after = query.after.as_deref().map(name::<HumanName>).transpose()?;
    let mut humans = rows(&desk, &asker, team.as_ref(), after, limit + 1);
    let has_more = humans.len() > limit;
    humans.truncate(limit);
    let next = humans.last().filter(|_| has_more);
    let next = next.map(|human| human.name.clone());
    Ok(Json(HumanPage { humans, next }))
}

fn rows(
    desk: &Desk,
    asker: &Asker,
    team: Option<&TeamName>,
    mut after: Option<HumanName>,
    most: usize,
) -> Vec<HumanLine> {
    let mut rows = Vec::new();
    loop {
        let from = after.take().map_or(Bound::Unbounded, Bound::Excluded);
        let seen = desk.ledger.read(|state| {
            let mut seen = 0;
            let accounts = state.people.humans.range((from, Bound::Unbounded));
            for (name, human) in accounts.take(SLICE) {
                seen += 1;
                after = Some(name.clone());
                let is_wanted = team.is_none_or(|team| human.teams.contains(team));
                if is_wanted && is_seen(desk, state, asker, name) {
                    rows.extend(line(state, name));
                    if rows.len() == most {
                        break;
                    }
                }
            }
            seen
        });
        if seen < SLICE || rows.len() == most {
            return rows;
        }
    }
}

/// Whether an account may be seen: one's own, one of a team that the asker may read, or any by
/// whoever may read all.
fn is_seen(desk: &Desk, state: &rules::State, asker: &Asker, name: &HumanName) -> bool {
    let teams = state.people.humans.get(name).map(|human| &human.teams);
    let mut teams = teams.into_iter().flatten();
    asker.is(name)
        || teams.any(|team| desk.sees(state, asker, Some(team)))
        || desk.sees(state, asker, None)
}

/// Everything about a human: their roles and tokens.
#[utoipa::path(get, path = "/v1/humans/{human}", tag = "humans",
    params(("human" = String, Path, description = "their name")),
    responses((status = 200, description = "the human", body = HumanView),
              (status = 404, description = "there is no such human", body = ErrorBody)))]
pub(super) async fn show(
    State(desk): State<Shared>,
    asker: Asker,
    PathOf(human): PathOf<String>,
) -> Answered<Json<HumanView>> {
    let human = name::<HumanName>(&human)?;
    let found = desk.ledger.read(|state| {
        let is_seen = is_seen(&desk, state, &asker, &human);
        is_seen.then(|| view(state, &human)).flatten()
    });
    found.map(Json).ok_or_else(|| no_human(&human))
}

fn no_human(human: &HumanName) -> Refused {
    let refused = Refused::from(&Rejection::NoHuman(human.clone()));
    if human.as_str() == ADMIN {
        return refused.hint("`admin` is whoever could replace the daemon; it has no account");
    }
    refused
}

/// Gives people accounts and roles: all of them, or none. The same again changes nothing.
///
/// A dry run goes the same way as far as the rules, and is refused for what the other would be.
#[utoipa::path(post, path = "/v1/humans", tag = "humans", request_body = PutHumans,
    params(PutHumansQuery, ("Request-Id" = Option<String>, Header, description = "names the wish")),
    responses((status = 200, description = "it is so, or would be", body = HumansPut),
              (status = 400, description = "something in it is wrong", body = ErrorBody),
              (status = 403, description = "there is no right to it", body = ErrorBody)))]
pub(super) async fn put(
    State(desk): State<Shared>,
    wish: Wish,
    QueryOf(query): QueryOf<PutHumansQuery>,
    JsonOf(wished): JsonOf<PutHumans>,
) -> Answered<Response> {
    let specs: Result<Vec<HumanSpec>, BadName> = wished.humans.iter().map(spec).collect();
    let specs = specs?;
    if query.dry_run {
        return Ok(Json(would_put(&desk, &wish, &specs)?).into_response());
    }
    let outcome = bring(&desk, &wish, specs.clone()).await?;
    let Outcome::Applied {
        created,
        changed,
        unchanged,
        ..
    } = outcome
    else {
        let what = format!("a roster was answered {outcome:?}");
        return Err(wish.refused(Refused::new(Code::Failed, what)));
    };
    let names: Vec<HumanName> = specs.iter().map(|spec| spec.name.clone()).collect();
    let (stay_leads, left_alone) = desk.ledger.read(|state| {
        let left_alone = left_alone(state, &specs).len();
        (stay_leads(state, &specs), count(left_alone))
    });
    let put = HumansPut {
        is_dry_run: false,
        created,
        changed,
        unchanged,
        left_alone,
        stay_leads,
        difference: None,
        accounts: desk.accounts.make(&names).await,
        request_id: wish.id.to_string(),
    };
    Ok(wish.answer(StatusCode::OK, &put))
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

/// Proposes a roster, in as many pieces as it takes.
async fn bring(desk: &Desk, wish: &Wish, specs: Vec<HumanSpec>) -> Answered<Outcome> {
    let digest = digest(&wish.by(), &specs);
    let mut pieces = roster::in_pieces(specs, digest);
    let (put, piece) = pieces.pop().unwrap_or_default();
    for (put, piece) in pieces {
        let place = piece.as_ref();
        let place = place.map(|piece| format!("{}/{}:", piece.number, piece.of));
        let id = RequestId::new(&format!("{}{}", place.unwrap_or_default(), wish.id))?;
        let command = Command::PutHumans { put, piece };
        wish.under(id).propose(desk, command, "").await?;
    }
    let command = Command::PutHumans { put, piece };
    wish.propose(desk, command, "").await
}

/// What a roster would come to.
fn would_put(desk: &Desk, wish: &Wish, put: &[HumanSpec]) -> Answered<HumansPut> {
    let command = Command::PutHumans {
        put: put.to_vec(),
        piece: None,
    };
    wish.may(desk, &command)?;
    let (checked, difference, stay_leads) = desk.ledger.read(|state| {
        let checked = rules::apply::check_humans(state, put);
        (checked, difference(state, put), stay_leads(state, put))
    });
    checked.map_err(|rejection| wish.refused(Refused::from(&rejection)))?;
    Ok(HumansPut {
        is_dry_run: true,
        created: count(difference.new.len()),
        changed: count(difference.changed.len()),
        unchanged: count(difference.unchanged.len()),
        left_alone: count(difference.left_alone.len()),
        stay_leads,
        difference: Some(difference),
        accounts: String::new(),
        request_id: wish.id.to_string(),
    })
}

/// Names a roster of somebody: what another began to send of the same one is no part of it.
fn digest(by: &str, specs: &[HumanSpec]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(format!("{by}\n"));
    for spec in specs {
        digest.update(format!("{spec:?}\n"));
    }
    digest.finalize().into()
}

/// Takes an account away, with its roles and tokens.
#[utoipa::path(post, path = "/v1/humans/{human}/remove", tag = "humans",
    params(("human" = String, Path, description = "their name"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = RemoveHuman,
    responses((status = 200, description = "it is so", body = Done),
              (status = 403, description = "there is no right to it", body = ErrorBody),
              (status = 404, description = "there is no such human", body = ErrorBody)))]
pub(super) async fn remove(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(human): PathOf<String>,
    JsonOf(RemoveHuman {}): JsonOf<RemoveHuman>,
) -> Answered<Response> {
    let human = name::<HumanName>(&human)?;
    done(&desk, &wish, Command::RemoveHuman { human }).await
}

/// Changes what somebody may.
#[utoipa::path(post, path = "/v1/humans/{human}/role", tag = "humans",
    params(("human" = String, Path, description = "their name"),
           ("Request-Id" = Option<String>, Header, description = "names the wish")),
    request_body = SetHumanRole,
    responses((status = 200, description = "it is so", body = Done),
              (status = 403, description = "there is no right to it", body = ErrorBody),
              (status = 404, description = "there is no such human or team", body = ErrorBody)))]
pub(super) async fn set_role(
    State(desk): State<Shared>,
    wish: Wish,
    PathOf(human): PathOf<String>,
    JsonOf(how): JsonOf<SetHumanRole>,
) -> Answered<Response> {
    let human = name::<HumanName>(&human)?;
    let change = match (how.is_admin, how.team) {
        (Some(is_admin), None) => RoleChange::Admin { is_admin },
        (None, Some(team)) => RoleChange::Team {
            team: name(&team)?,
            role: how.role.map(role),
        },
        (Some(_), Some(_)) | (None, None) => {
            let what = "say either is_admin, or team and role";
            return Err(wish.refused(Refused::new(Code::Invalid, what)));
        }
    };
    done(&desk, &wish, Command::SetHumanRole { human, change }).await
}

/// Brings a command before the cluster that comes to nothing but being done.
pub(super) async fn done(desk: &Desk, wish: &Wish, command: Command) -> Answered<Response> {
    wish.propose(desk, command, "").await?;
    let request_id = wish.id.to_string();
    Ok(wish.answer(StatusCode::OK, &Done { request_id }))
}
