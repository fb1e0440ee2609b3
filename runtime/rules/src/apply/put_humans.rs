//! A human says who has an account and a role: all of them, or none, under one revision.
//!
//! # Why
//! An employee's number says who somebody is, their name only what they are called: the same number
//! again changes nothing, and a name that comes with another number is another person's. So is one
//! that comes again after its account was taken away: whatever is still told of the name before is
//! told of somebody who was removed.

use std::collections::{BTreeMap, BTreeSet};

use crate::human::{People, RESERVED};
use crate::id::{EmployeeId, HumanName, TeamName, check_employee, check_login};
use crate::limits;
use crate::roster::{HumanSpec, Piece, Staged};
use crate::state::{Alarm, State};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};
use crate::version;

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
        None if of > 1 => {
            room(step)?;
            0
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

/// Whether another roster may be laid aside.
fn room(step: &Step<'_>) -> Result<(), Rejection> {
    let (staged, by) = (&step.state.people.staged, step.principal.to_string());
    let (others, most) = if step.state.version >= version::PEOPLE {
        let others = staged.values().filter(|staged| staged.by != by);
        (others.count(), limits::MAX_STAGERS)
    } else {
        (staged.len(), limits::MAX_STAGED)
    };
    if others >= most {
        return Err(over("max_staged", most));
    }
    Ok(())
}

/// Drops what the asker began to send and did not end: whoever begins anew has given it up.
fn drop_older(step: &mut Step<'_>, kept: &Piece) {
    let by = step.principal.to_string();
    let state = &mut *step.state;
    let alarms = &mut state.alarms;
    state.people.staged.retain(|roster, staged| {
        let is_kept = staged.by != by || *roster == kept.roster;
        if !is_kept {
            alarms.remove(&(staged.until, Alarm::Roster(*roster)));
        }
        is_kept
    });
}

fn lay_aside(step: &mut Step<'_>, put: &[HumanSpec], piece: &Piece) -> Verdict {
    let until = step.state.clock.plus(limits::STAGED_MS);
    let by = step.principal.to_string();
    if step.state.version >= version::PEOPLE {
        drop_older(step, piece);
    }
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
    check(step.state, put)?;
    let (mut created, mut changed, mut unchanged) = (0, 0, 0);
    let (mut newcomers, mut teams) = (BTreeSet::new(), BTreeSet::new());
    for spec in put {
        let becoming = spec.becoming(step.state);
        let count = match (becoming.is_new, becoming.is_nothing()) {
            (true, _) => &mut created,
            (false, false) => &mut changed,
            (false, true) => &mut unchanged,
        };
        *count += 1;
        let people = &mut step.state.people;
        let human = people.humans.entry(spec.name.clone()).or_default();
        if let Some((_, display)) = becoming.display {
            human.display = Some(display);
        }
        if let Some(employee) = becoming.employee {
            let number = People::number(step.state.version, &employee);
            human.employee = Some(employee);
            people.employees.insert(number, spec.name.clone());
        }
        for (team, _, role) in becoming.roles {
            people.give(&spec.name, &team, Some(role));
            teams.insert(team);
        }
        if becoming.is_new {
            newcomers.insert(spec.name.as_str());
        }
    }
    let people = &mut step.state.people;
    if created > 0 {
        people.changes += 1;
    }
    people.changed_in(&teams);
    if step.state.version >= version::PEOPLE && created > 0 {
        part_from_namesakes(step.state, &newcomers);
    }
    Ok(Outcome::Applied {
        created,
        changed,
        unchanged,
        removed: 0,
    })
}

/// Sees to it that nothing of whoever had a name before is a newcomer's: no case that is open, no
/// marker of what was read. Their own rooms were closed with their account.
fn part_from_namesakes(state: &mut State, newcomers: &BTreeSet<&str>) {
    for case in state.cases.values_mut() {
        // A persona may have opened it for them.
        let spoken_for = case.opened_by.rsplit_once(" for ");
        let opener = spoken_for.map_or(case.opened_by.as_str(), |(_, human)| human);
        if newcomers.contains(opener) {
            case.opened_by.push_str(" (removed)");
        }
    }
    for room in state.rooms.rooms.values_mut() {
        room.marks
            .retain(|human, _| !newcomers.contains(human.as_str()));
    }
}

/// Refuses a whole roster that cannot be taken.
///
/// # Errors
/// What is wrong with it, or the limit that it breaks.
pub fn check(state: &State, put: &[HumanSpec]) -> Result<(), Rejection> {
    let mut faults = faults(state, put);
    if !faults.is_empty() {
        faults.truncate(limits::MAX_REASONS);
        return Err(Rejection::Invalid(faults));
    }
    let known = &state.people.humans;
    let new = put.iter().filter(|spec| !known.contains_key(&spec.name));
    if known.len() + new.count() > limits::MAX_HUMANS {
        return Err(over("max_humans", limits::MAX_HUMANS));
    }
    Ok(())
}

/// Everything that is wrong with a roster, in words.
fn faults(state: &State, put: &[HumanSpec]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    let mut numbers: BTreeMap<EmployeeId, &HumanName> = BTreeMap::new();
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
            let same = People::number(state.version, number);
            if let Some(other) = numbers.insert(same, name).filter(|other| *other != name) {
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
    let same = |number: &EmployeeId| People::number(state.version, number);
    let people = &state.people;
    let has = |name: &HumanName| people.humans.get(name)?.employee.as_ref();
    let is_so = has(name).is_some_and(|known| same(known) == same(number));
    let other = people.employees.get(&same(number));
    if let Some(other) = other.filter(|other| *other != name && !is_so) {
        if state.version < version::PEOPLE {
            return Some(format!("employee {number} is {other}, not {name}"));
        }
        let written = has(other).filter(|written| *written != number);
        let written = written.map_or_else(String::new, |written| format!(" (written {written})"));
        return Some(format!(
            "employee {number} is {other}{written}, not {name}: call them {other}, or remove {other} first"
        ));
    }
    let known = has(name).filter(|_| !is_so)?;
    Some(if state.version < version::PEOPLE {
        format!("{name} is employee {known}, not {number}")
    } else {
        format!("{name} is employee {known}, not {number}: call employee {number} otherwise")
    })
}

fn no_team(state: &State, team: &TeamName) -> Option<String> {
    let is_there = state.teams.contains_key(team);
    (!is_there).then(|| format!("there is no team {team}"))
}
