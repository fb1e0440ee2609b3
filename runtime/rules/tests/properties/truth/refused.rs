//! A refused entry changes nothing but the clock, the memory of requests and the record.

use rules::command::{Entry, Proposal};
use rules::{Command, Principal, Who, apply};

use super::broken;
use crate::lab::Told;

pub fn a_refused_entry_changes_nothing(told: &Told<'_>) -> Result<(), String> {
    if told.applied.verdict.is_ok() {
        return Ok(());
    }
    // What the clock alone would have done.
    let mut alone = told.before.clone();
    let tick = Entry {
        proposal: Proposal {
            request: None,
            principal: Principal::own(Who::Ledger),
            wall_ms: told.entry.proposal.wall_ms,
            command: Command::Tick,
            decision: None,
        }
        .into(),
        ..told.entry.clone()
    };
    apply(&mut alone, &tick);
    alone.requests = told.after.requests.clone();
    alone.audit = told.after.audit.clone();
    for (id, case) in &mut alone.cases {
        // A history says who caused what the clock did.
        case.history = told.after.cases[id].history.clone();
    }
    if alone == *told.after {
        return Ok(());
    }
    broken(format!(
        "it was refused and led from {alone:?} to {:?}",
        told.after
    ))
}
