//! What a roster would change, for people to read before it does.

use std::collections::BTreeSet;

use rules::State;
use rules::id::{HumanName, TeamName};
use rules::roster::{Becoming, HumanSpec};

use crate::admin::wire::{HumanChange, RosterDifference};

/// What becomes of each of a roster's people.
pub(crate) fn difference(state: &State, specs: &[HumanSpec]) -> RosterDifference {
    let mut difference = RosterDifference::default();
    for spec in specs {
        let (name, becoming) = (spec.name.to_string(), spec.becoming(state));
        if becoming.is_new {
            difference.new.push(name);
        } else if becoming.is_nothing() {
            difference.unchanged.push(name);
        } else {
            let changes = changes(&becoming);
            difference.changed.push(HumanChange { name, changes });
        }
    }
    difference.left_alone = left_alone(state, specs);
    difference
}

/// What changes of somebody who has an account, from what to what.
fn changes(becoming: &Becoming) -> Vec<String> {
    let mut changes = Vec::new();
    if let Some((from, to)) = &becoming.display {
        let from = from.as_deref().unwrap_or("nothing");
        changes.push(format!("called: {from} → {to}"));
    }
    if let Some(employee) = &becoming.employee {
        changes.push(format!("employee id: none → {employee}"));
    }
    for (team, from, to) in &becoming.roles {
        let from = from.map_or_else(|| "none".to_owned(), |role| role.to_string());
        changes.push(format!("role in {team}: {from} → {to}"));
    }
    changes
}

/// Those who lead a team of a roster that would have them be less.
pub(crate) fn stay_leads(state: &State, specs: &[HumanSpec]) -> Vec<String> {
    let leads = specs
        .iter()
        .filter(|spec| !spec.becoming(state).stays_lead_of.is_empty());
    leads.map(|spec| spec.name.to_string()).collect()
}

/// People of a roster's teams who are not on it.
pub(crate) fn left_alone(state: &State, specs: &[HumanSpec]) -> Vec<String> {
    let listed: BTreeSet<&HumanName> = specs.iter().map(|spec| &spec.name).collect();
    let teams: BTreeSet<&TeamName> = specs.iter().flat_map(|spec| spec.teams.keys()).collect();
    let rolls = teams
        .into_iter()
        .filter_map(|team| state.people.rolls.get(team));
    let people: BTreeSet<&HumanName> = rolls.flat_map(|roll| roll.roles.keys()).collect();
    let left = people.difference(&listed);
    left.map(ToString::to_string).collect()
}
