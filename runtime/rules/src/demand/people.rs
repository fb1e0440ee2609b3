//! What is demanded of whoever makes, changes and ends accounts, and the tokens of their humans.

use std::collections::BTreeSet;

use crate::id::{HumanName, TeamName, TokenName};
use crate::right::{Demand, Right};
use crate::roster::HumanSpec;
use crate::state::State;
use crate::version;
use crate::who::Principal;

use super::{cluster, human, in_team, own};

pub(super) fn put<'a>(state: &State, put: impl Iterator<Item = &'a HumanSpec>) -> Vec<Demand> {
    let mut demands = BTreeSet::new();
    for spec in put {
        for team in spec.teams.keys() {
            demands.insert(in_team(Right::ManageHumans, team));
        }
        match state.people.humans.get(&spec.name) {
            Some(known) if spec.changes(known, state.version) => {
                demands.extend(account(state, &spec.name));
            }
            None if spec.teams.is_empty() => {
                demands.insert(cluster(Right::ManageHumans));
            }
            Some(_) | None => {}
        }
    }
    if demands.is_empty() {
        demands.insert(cluster(Right::ManageHumans));
    }
    demands.into_iter().collect()
}

/// What is demanded of whoever would change an account: the right in each of its teams, so that
/// nobody gets hold of more than they lead.
pub(super) fn account(state: &State, name: &HumanName) -> Vec<Demand> {
    let Some(human) = state.people.humans.get(name) else {
        return vec![cluster(Right::ManageHumans)];
    };
    let teams = human.teams.iter();
    let mut demands: Vec<Demand> = teams
        .map(|team| in_team(Right::ManageHumans, team))
        .collect();
    if human.is_admin {
        demands.push(cluster(Right::ManageAdmins));
    } else if demands.is_empty() {
        demands.push(cluster(Right::ManageHumans));
    }
    demands
}

/// What is demanded of whoever makes a token: for oneself only that, for somebody else the right to
/// all that the token will ever be good for.
///
/// Whoever makes a token knows its secret, and what its human may grows: a token for all of that is
/// an admin's to make, one for a team whoever leads it.
pub(super) fn minted(
    state: &State,
    asker: &Principal,
    of: &HumanName,
    narrowed_to: Option<&TeamName>,
) -> Vec<Demand> {
    if human(asker) == Some(of) {
        let mut demand = own(Right::OwnAccount, true);
        demand.team = narrowed_to.cloned();
        return vec![demand];
    }
    let mut demands = account(state, of);
    if state.version >= version::PEOPLE {
        let right = Right::ManageHumans;
        let ever = narrowed_to.map_or_else(|| cluster(right), |team| in_team(right, team));
        if !demands.contains(&ever) {
            demands.push(ever);
        }
    }
    demands
}

pub(super) fn revoked(
    state: &State,
    asker: &Principal,
    of: &HumanName,
    token: &TokenName,
) -> Vec<Demand> {
    if human(asker) == Some(of) {
        return vec![own(Right::OwnAccount, true)];
    }
    let found = state.people.token(of, token);
    match found.and_then(|token| token.team.as_ref()) {
        Some(team) => vec![in_team(Right::Settle, team)],
        None => account(state, of),
    }
}
