//! A human says who has an account and a role: all of them, or none, under one revision.
//!
//! # Why
//! An employee's number says who somebody is, their name only what they are called: the same number
//! again changes nothing, and a name that comes with another number is another person's.

use std::collections::{BTreeMap, BTreeSet};

use crate::human::{Human, RESERVED};
use crate::id::{EmployeeId, HumanName, TeamName, check_employee, check_login};
use crate::limits;
use crate::roster::{HumanSpec, Piece, Staged};
use crate::state::{Alarm, State};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, put: &[HumanSpec], piece: Option<&Piece>) -> Verdict {
    fence::human(step)?;
    let Some(piece) = piece else {
        return take(step, put);
    };
    fits(step, piece)?;
    if piece.number < piece.of {
        return lay_aside(step, put, piece);
    }
    let mut whole: Vec<HumanSpec> = step.state.people.before(piece).cloned().collect();
    whole.extend_from_slice(put);
    let verdict = take(step, &whole)?;
    if let Some(staged) = step.state.people.staged.remove(&piece.roster) {
        let alarm = (staged.until, Alarm::Roster(piece.roster));
        step.state.alarms.remove(&alarm);
    }
    Ok(verdict)
}

/// Whether a piece is the next one of its roster, or one that has come already.
fn fits(step: &Step<'_>, piece: &Piece) -> Result<(), Rejection> {
    let (number, of) = (piece.number, piece.of);
    if of > limits::MAX_PIECES {
        return Err(over("max_pieces", limits::MAX_PIECES as usize));
    }
    if number == 0 || number > of {
        let why = format!("piece {number} of {of} is none");
        return Err(Rejection::Invalid(vec![why]));
    }
    let people = &step.state.people;
    let come = match people.staged.get(&piece.roster) {
        Some(staged) if staged.by != step.principal.to_string() || staged.of != of => {
            return Err(Rejection::WrongState {
                what: "the roster".to_owned(),
                is: format!("one of {} in {} pieces", staged.by, staged.of),
            });
        }
        Some(staged) => staged.pieces.len(),
        None if people.staged.len() >= limits::MAX_STAGED && of > 1 => {
            return Err(over("max_staged", limits::MAX_STAGED));
        }
        None => 0,
    };
    // The last one is never laid aside: that it came again, its request id says.
    if number as usize > come + 1 {
        return Err(Rejection::WrongState {
            what: "the roster".to_owned(),
            is: format!("here up to piece {come}: send the pieces in their order"),
        });
    }
    Ok(())
}

fn lay_aside(step: &mut Step<'_>, put: &[HumanSpec], piece: &Piece) -> Verdict {
    let until = step.state.clock.plus(limits::STAGED_MS);
    let by = step.principal.to_string();
    let staged = step.state.people.staged.entry(piece.roster);
    let is_new = matches!(staged, std::collections::btree_map::Entry::Vacant(_));
    let staged = staged.or_insert_with(|| Staged {
        by,
        of: piece.of,
        pieces: Vec::new(),
        until,
    });
    match staged.pieces.get(piece.number as usize - 1) {
        Some(come) if come == put => {}
        Some(_) => {
            return Err(Rejection::WrongState {
                what: format!("piece {} of the roster", piece.number),
                is: "another one already".to_owned(),
            });
        }
        None => staged.pieces.push(put.to_vec()),
    }
    if is_new {
        let alarm = (until, Alarm::Roster(piece.roster));
        step.state.alarms.insert(alarm);
    }
    Ok(Outcome::Done)
}

fn take(step: &mut Step<'_>, put: &[HumanSpec]) -> Verdict {
    let mut faults = faults(step.state, put);
    if !faults.is_empty() {
        faults.truncate(limits::MAX_REASONS);
        return Err(Rejection::Invalid(faults));
    }
    let people = &mut step.state.people;
    let new = put
        .iter()
        .filter(|spec| !people.humans.contains_key(&spec.name));
    if people.humans.len() + new.count() > limits::MAX_HUMANS {
        return Err(over("max_humans", limits::MAX_HUMANS));
    }
    let (mut created, mut changed, mut unchanged) = (0, 0, 0);
    let mut teams = BTreeSet::new();
    for spec in put {
        let is_new = !people.humans.contains_key(&spec.name);
        let human = people.humans.entry(spec.name.clone()).or_default();
        let mut is_other = spec.changes(human);
        describe(human, spec);
        if let Some(employee) = &spec.employee {
            people.employees.insert(employee.clone(), spec.name.clone());
        }
        for (team, role) in &spec.teams {
            if people.give(&spec.name, team, Some(*role)) {
                is_other = true;
                teams.insert(team);
            }
        }
        let count = match (is_new, is_other) {
            (true, _) => &mut created,
            (false, true) => &mut changed,
            (false, false) => &mut unchanged,
        };
        *count += 1;
    }
    if created > 0 {
        people.changes += 1;
    }
    people.changed_in(teams);
    Ok(Outcome::Applied {
        created,
        changed,
        unchanged,
        removed: 0,
    })
}

fn describe(human: &mut Human, spec: &HumanSpec) {
    if spec.display.is_some() {
        human.display.clone_from(&spec.display);
    }
    if spec.employee.is_some() {
        human.employee.clone_from(&spec.employee);
    }
}

/// Everything that is wrong with a roster, in words.
fn faults(state: &State, put: &[HumanSpec]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    let mut numbers: BTreeMap<&EmployeeId, &HumanName> = BTreeMap::new();
    for spec in put {
        let name = &spec.name;
        if let Err(bad) = check_login(name.as_str()) {
            faults.push(bad.to_string());
        }
        if RESERVED.contains(&name.as_str()) {
            faults.push(format!(
                "{name} is nobody's name: it stands for a part of the system"
            ));
        }
        if !names.insert(name) {
            faults.push(format!("{name} stands twice"));
        }
        if let Some(number) = &spec.employee {
            if let Some(other) = numbers.insert(number, name).filter(|other| *other != name) {
                faults.push(format!("employee {number} is {other} and {name}"));
            }
            faults.extend(wrong_number(state, name, number));
        }
        faults.extend(spec.teams.keys().filter_map(|team| no_team(state, team)));
        let known = state.people.humans.get(name);
        let more = spec.teams.keys();
        let more = more.filter(|team| known.is_none_or(|known| !known.teams.contains(*team)));
        if known.map_or(0, |known| known.teams.len()) + more.count() > limits::MAX_HUMAN_TEAMS {
            let most = limits::MAX_HUMAN_TEAMS;
            faults.push(format!("{name} would be in more than {most} teams"));
        }
        let display = spec.display.as_deref().unwrap_or_default();
        if display.len() > limits::MAX_LINE_BYTES || display.chars().any(char::is_control) {
            faults.push(format!("what {name} is called is no line"));
        }
    }
    faults
}

fn wrong_number(state: &State, name: &HumanName, number: &EmployeeId) -> Option<String> {
    if let Err(bad) = check_employee(number.as_str()) {
        return Some(bad.to_string());
    }
    let people = &state.people;
    if let Some(other) = people.employees.get(number).filter(|other| *other != name) {
        return Some(format!("employee {number} is {other}, not {name}"));
    }
    let known = people.humans.get(name)?.employee.as_ref()?;
    (known != number).then(|| format!("{name} is employee {known}, not {number}"))
}

fn no_team(state: &State, team: &TeamName) -> Option<String> {
    let is_there = state.teams.contains_key(team);
    (!is_there).then(|| format!("there is no team {team}"))
}
