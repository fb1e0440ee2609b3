//! A faithful driver: it does every duty well until none is left that it can do.

use std::collections::BTreeSet;

use rules::State;
use rules::case::{Case, CaseStatus};
use rules::duty::Duty;

use crate::lab::Lab;
use crate::nodes;
use crate::speech::{self, Due};

/// Rounds in which everything must have come to its end: a round does each duty once, and the
/// longest way of a case (amended, planned anew, every attempt used) is far shorter.
const ROUNDS: usize = 200;

/// Does all duties, and says which case neither ended nor waits for a human.
pub fn settle(lab: &mut Lab) -> Result<(), String> {
    // A node on which everything fits; whatever people described badly stays theirs to mend.
    nodes::heal(lab);
    for _ in 0..ROUNDS {
        let mut has_moved = false;
        for due in speech::due(lab) {
            has_moved |= perform(lab, &due)?;
        }
        if !has_moved {
            return lab
                .state
                .cases
                .values()
                .try_for_each(|case| ended(lab, case));
        }
    }
    Err(format!("no end after {ROUNDS} rounds: {:?}", lab.state))
}

/// Does one duty, and says whether anything came of it.
fn perform(lab: &mut Lab, due: &Due) -> Result<bool, String> {
    let is_there = speech::due(lab)
        .iter()
        .any(|Due(holder, duty)| (holder, duty) == (&due.0, &due.1));
    if !is_there {
        return Ok(true);
    }
    let told = format!("{:?}: {:?}", due.0, due.1);
    let is_route = matches!(due.1, Duty::Route { .. });
    let Some((principal, command)) = due.clone().into_command(lab, 0) else {
        return Ok(false);
    };
    let applied = lab.propose(1, principal, command);
    let is_done = !speech::due(lab)
        .iter()
        .any(|Due(holder, duty)| (holder, duty) == (&due.0, &due.1));
    match applied.verdict {
        Ok(_) if is_done => Ok(true),
        // No team can take it: a human must say more.
        Err(_) if is_route => Ok(false),
        verdict => Err(format!("{told} is not done by doing it: {verdict:?}")),
    }
}

/// That a case that is still open waits for a human, and can say why.
fn ended(lab: &Lab, case: &Case) -> Result<(), String> {
    let waits_for_people = matches!(case.status, CaseStatus::Waiting(_)) || case.team.is_none();
    if waits_for_people || waits_for_a_worker(&lab.state, case) {
        return Ok(());
    }
    Err(format!("it came to no end: {case:?} in {:?}", lab.state))
}

/// Whether a stage waits for somebody whom only a human can describe.
fn waits_for_a_worker(state: &State, case: &Case) -> bool {
    let waiting = case
        .team
        .iter()
        .flat_map(|team| state.teams[team].queue.values());
    let queued: BTreeSet<_> = waiting.flatten().map(|(case, _)| *case).collect();
    queued.contains(&case.id)
}
