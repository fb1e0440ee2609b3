//! A human gives a worker a new container: a new epoch, and what it was doing is done anew.

use crate::id::{CaseId, WorkerId};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, id: &WorkerId, reason: &str) -> Verdict {
    fence::human(step)?;
    fence::line("reason", reason)?;
    if !step.state.workers.contains_key(id) {
        return Err(Rejection::NoWorker(id.clone()));
    }
    renew(step, id, &format!("the worker was replaced: {reason}"));
    Ok(Outcome::Done)
}

/// Ends a worker's epoch where it stands and begins a new one.
pub(super) fn renew(step: &mut Step<'_>, id: &WorkerId, reason: &str) {
    interrupt(step, id, reason);
    let epoch = step.state.new_epoch();
    if let Some(worker) = step.state.workers.get_mut(id) {
        worker.epoch = epoch;
    }
    step.freed.insert(id.clone());
    step.touched
        .insert(crate::duty::Subject::Worker(id.clone()));
}

/// Takes back all that a worker runs.
pub(super) fn interrupt(step: &mut Step<'_>, id: &WorkerId, reason: &str) {
    let Some(worker) = step.state.workers.get(id) else {
        return;
    };
    for attempt in worker.running.clone() {
        let case_id: CaseId = attempt.case;
        let Some(mut case) = step.state.cases.remove(&case_id) else {
            continue;
        };
        step.supersede(&mut case, attempt.number, reason);
        step.state.cases.insert(case_id, case);
    }
}
