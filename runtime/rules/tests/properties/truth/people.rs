//! What is known of people is known the same way round, and its revisions tell every change.

use std::collections::BTreeSet;

use rules::State;
use rules::human::People;
use rules::id::{HumanName, TeamName};

use super::broken;
use crate::lab::Told;

pub fn people_are_known_the_same_way_round(told: &Told<'_>) -> Result<(), String> {
    let state = told.after;
    let people = &state.people;
    let by_human = people.humans.iter();
    let by_human: BTreeSet<(&TeamName, &HumanName)> = by_human
        .flat_map(|(name, human)| human.teams.iter().map(move |team| (team, name)))
        .collect();
    let by_team = people.rolls.iter();
    let by_team: BTreeSet<(&TeamName, &HumanName)> = by_team
        .flat_map(|(team, roll)| roll.roles.keys().map(move |name| (team, name)))
        .collect();
    if by_human != by_team {
        return broken(format!(
            "humans are in {by_human:?}, and teams have {by_team:?}"
        ));
    }
    if let Some((team, human)) = by_team
        .iter()
        .find(|(team, _)| !state.teams.contains_key(*team))
    {
        return broken(format!("{human} is in team {team}, which is not there"));
    }
    numbers_are_known(state)?;
    tokens_can_be_found(state)
}

/// What an employee's number is known by.
fn known_by(state: &State, number: &str) -> String {
    if state.version >= rules::version::PEOPLE {
        number.trim_start_matches('0').to_ascii_lowercase()
    } else {
        number.to_owned()
    }
}

fn numbers_are_known(state: &State) -> Result<(), String> {
    let people = &state.people;
    let of = people.humans.iter();
    let of = of.filter_map(|(name, human)| Some((human.employee.as_ref()?, name)));
    let of: BTreeSet<_> = of
        .map(|(number, name)| (known_by(state, number.as_str()), name))
        .collect();
    let index = people.employees.iter();
    let index: BTreeSet<_> = index
        .map(|(number, name)| (known_by(state, number.as_str()), name))
        .collect();
    if of != index || index.len() != people.employees.len() {
        return broken(format!("{of:?} are not {index:?}"));
    }
    Ok(())
}

fn tokens_can_be_found(state: &State) -> Result<(), String> {
    let people = &state.people;
    let mut count = 0;
    for (name, human) in &people.humans {
        for (token, found) in &human.tokens {
            count += 1;
            let owner = (name.clone(), token.clone());
            if people.of_token(&found.hash) != Some(&owner)
                || found
                    .team
                    .as_ref()
                    .is_some_and(|team| !state.teams.contains_key(team))
            {
                return broken(format!("token {token} of {name} is {found:?}"));
            }
        }
    }
    if count != people.hashes.len() {
        return broken(format!(
            "{} hashes belong to {count} tokens",
            people.hashes.len()
        ));
    }
    Ok(())
}

/// What a decision about a team leans on.
fn ground<'a>(people: &'a People, team: &TeamName) -> Option<&'a dyn std::fmt::Debug> {
    let roll = people.rolls.get(team)?;
    (!roll.roles.is_empty()).then_some(&roll.roles as &dyn std::fmt::Debug)
}

pub fn a_decision_is_outdated_by_what_it_leans_on(told: &Told<'_>) -> Result<(), String> {
    let (before, after) = (&told.before.people, &told.after.people);
    let admins = |people: &People| -> BTreeSet<HumanName> {
        let admins = people.humans.iter().filter(|(_, human)| human.is_admin);
        admins.map(|(name, _)| name.clone()).collect()
    };
    let tokens_gone = before
        .hashes
        .iter()
        .any(|(hash, owner)| after.hashes.get(hash) != Some(owner));
    let humans_gone = before
        .humans
        .keys()
        .any(|name| !after.humans.contains_key(name));
    let is_other = admins(before) != admins(after)
        || tokens_gone
        || humans_gone
        || before.policies != after.policies;
    if after.revision < before.revision || is_other && after.revision == before.revision {
        return broken(format!("revision {} came after {before:?}", after.revision));
    }
    for team in before.rolls.keys().chain(after.rolls.keys()) {
        let revisions = |people: &People| (people.revision, people.revision_of(Some(team)));
        let is_same = format!("{:?}", ground(before, team)) == format!("{:?}", ground(after, team));
        if !is_same && revisions(before) == revisions(after) {
            return broken(format!("the roles of {team} changed under one revision"));
        }
    }
    if before != after && before.changes == after.changes {
        let is_staged = before.staged != after.staged;
        if !is_staged && (is_other || before.rolls != after.rolls) {
            return broken("people changed, and nobody who looks on is told".to_owned());
        }
    }
    Ok(())
}

pub fn nothing_is_done_without_a_decision_that_allows_it(told: &Told<'_>) -> Result<(), String> {
    let proposal = &told.entry.proposal;
    let is_known = |request| told.before.requests.answered(request).is_some();
    if told.applied.verdict.is_err() || proposal.request.as_ref().is_some_and(is_known) {
        return Ok(());
    }
    let Some(decision) = &proposal.decision else {
        return broken("it was done, and nobody decided that it may be");
    };
    let people = &told.before.people;
    let is_old = decision.revision != people.revision
        || decision.judged.iter().any(|judged| {
            let team = judged.demand.team.as_ref();
            judged.revision != team.map_or(0, |team| people.revision_of(Some(team)))
        });
    if is_old || decision.judged.is_empty() || decision.judged.iter().any(|one| !one.is_allowed) {
        return broken(format!("it was done by decision {decision:?}"));
    }
    Ok(())
}
