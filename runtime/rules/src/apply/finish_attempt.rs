//! A worker says how an attempt ended: a result is accepted once, a failure leads to another attempt.

use crate::attempt::{Attempt, AttemptOutcome, AttemptStatus};
use crate::blobs;
use crate::case::Case;
use crate::history::{Happened, failure};
use crate::id::AttemptId;
use crate::state::State;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::{answer_stage, fence, open_case};

pub(super) fn apply(step: &mut Step<'_>, id: AttemptId, outcome: &AttemptOutcome) -> Verdict {
    let attempt = fence::worker(step, id)?;
    if !attempt.status.is_live() {
        if attempt.outcome.as_ref() == Some(outcome) {
            // Said twice.
            return Ok(Outcome::Done);
        }
        return Err(over(id, attempt));
    }
    match outcome {
        AttemptOutcome::Succeeded(result) => answer_stage::checked(result)?,
        AttemptOutcome::Failed { reason } => fence::line("reason", reason)?,
        AttemptOutcome::TimedOut { .. } => {}
    }
    let name = attempt.stage.clone();
    let Some(mut case) = step.state.cases.remove(&id.case) else {
        return Err(Rejection::NoCase(id.case));
    };
    let (afforded, bytes) = afforded(step.state, &case, outcome);
    open_case::charge(step, &mut case, bytes);
    let outcome = &afforded;
    match outcome {
        AttemptOutcome::Succeeded(result) => {
            let outcome = Some(outcome.clone());
            step.end_attempt(&mut case, id.number, AttemptStatus::Finished, outcome);
            answer_stage::accept(&mut case, &name, result);
            step.note(&mut case, Happened::Done(name, result.summary.clone()));
        }
        AttemptOutcome::Failed { .. } | AttemptOutcome::TimedOut { .. } => {
            let reason = failure(outcome);
            let outcome = Some(outcome.clone());
            let status = AttemptStatus::Finished;
            step.fail_attempt(&mut case, id.number, status, outcome, &reason);
        }
    }
    step.state.cases.insert(id.case, case);
    Ok(Outcome::Done)
}

/// The outcome and what the case names with it, or a failure where its result would take the case or
/// its team over a limit: the worker has done its part, and a refusal would only have it say the same
/// again.
fn afforded(state: &State, case: &Case, outcome: &AttemptOutcome) -> (AttemptOutcome, u64) {
    let AttemptOutcome::Succeeded(result) = outcome else {
        return (outcome.clone(), case.blob_bytes);
    };
    let named = blobs::of_one_result(result);
    match open_case::affordable(state, case.team.as_ref(), Some(case), named) {
        Ok(bytes) => (outcome.clone(), bytes),
        Err(refused) => {
            let reason = format!("its result is too large for its case: {refused}");
            (AttemptOutcome::Failed { reason }, case.blob_bytes)
        }
    }
}

/// That an attempt is over and takes nothing more.
pub(super) fn over(id: AttemptId, attempt: &Attempt) -> Rejection {
    let is = match attempt.status {
        AttemptStatus::Lost => "lost",
        AttemptStatus::Superseded => "superseded",
        AttemptStatus::Cancelled => "cancelled",
        AttemptStatus::Finished
        | AttemptStatus::Assigned
        | AttemptStatus::Preparing
        | AttemptStatus::Running => "finished",
    };
    Rejection::Stale {
        what: format!("attempt {id} is {is}"),
    }
}
