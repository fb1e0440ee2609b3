//! `GET /v1/teams…`: teams.

use std::ops::Bound;

use axum::Json;
use axum::extract::State;
use rules::id::TeamName;
use rules::place::{self, Placed};

use super::{name, page};
use crate::admin::convert::team::{line, view};
use crate::admin::desk::Shared;
use crate::admin::extract::{PathOf, QueryOf};
use crate::admin::people::Asker;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{ErrorBody, Explained, NodeVerdict, TeamPage, TeamQuery, TeamView};

/// Teams in the order of their names.
#[utoipa::path(get, path = "/v1/teams", tag = "teams", params(TeamQuery),
    responses((status = 200, description = "a page of teams", body = TeamPage),
              (status = 400, description = "the query is wrong", body = ErrorBody)))]
pub(super) async fn list(
    State(desk): State<Shared>,
    asker: Asker,
    QueryOf(query): QueryOf<TeamQuery>,
) -> Answered<Json<TeamPage>> {
    let limit = page(query.limit)?;
    let after = query.after.as_deref().map(name::<TeamName>).transpose()?;
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let freshness = desk.freshness(false);
    let mut teams: Vec<_> = desk.ledger.read(|state| {
        let rows = state.teams.range((from, Bound::Unbounded));
        let seen = rows.filter(|(name, _)| desk.sees(state, &asker, Some(*name)));
        let seen = seen.take(limit + 1);
        seen.map(|(_, team)| line(state, team)).collect()
    });
    let has_more = teams.len() > limit;
    teams.truncate(limit);
    let next = teams
        .last()
        .filter(|_| has_more)
        .map(|team| team.name.clone());
    Ok(Json(TeamPage {
        teams,
        next,
        freshness,
    }))
}

/// Everything about a team.
#[utoipa::path(get, path = "/v1/teams/{team}", tag = "teams",
    params(("team" = String, Path, description = "its name")),
    responses((status = 200, description = "the team", body = TeamView),
              (status = 404, description = "there is no such team", body = ErrorBody)))]
pub(super) async fn show(
    State(desk): State<Shared>,
    PathOf(team): PathOf<String>,
) -> Answered<Json<TeamView>> {
    let team: TeamName = name(&team)?;
    let freshness = desk.freshness(false);
    let found = desk.ledger.read(|state| {
        state
            .teams
            .get(&team)
            .map(|found| view(state, found, freshness))
            .ok_or_else(|| Refused::no_team(state, &team))
    });
    found.map(Json)
}

/// Where its butler could be, and why it is where it is.
#[utoipa::path(get, path = "/v1/teams/{team}/explain", tag = "teams",
    params(("team" = String, Path, description = "its name")),
    responses((status = 200, description = "what speaks for and against each node", body = Explained),
              (status = 404, description = "there is no such team", body = ErrorBody)))]
pub(super) async fn explain(
    State(desk): State<Shared>,
    PathOf(team): PathOf<String>,
) -> Answered<Json<Explained>> {
    let team = name::<TeamName>(&team)?;
    let who = Placed::Team(team.clone());
    let explained = desk
        .ledger
        .read(|state| place::explain(state, &who).map_err(|_| Refused::no_team(state, &team)))?;
    Ok(Json(explanation(explained)))
}

/// An explanation as it is shown.
pub(super) fn explanation(explained: place::Explained) -> Explained {
    let because = match (&explained.placed, explained.choice) {
        (Some((_, because)), _) => because.clone(),
        (None, Ok(choice)) => format!("the Manager has not placed it yet; {}", choice.1),
        (None, Err(place::NoPlace(why))) => why,
    };
    let nodes = explained.nodes.into_iter();
    Explained {
        node: explained.placed.map(|(node, _)| node.to_string()),
        because,
        nodes: nodes
            .map(|(id, name, verdict)| NodeVerdict {
                id: id.to_string(),
                name,
                verdict,
            })
            .collect(),
    }
}
