//! A human ends a case: nothing more of it starts, what runs is ended, and the butler reports.

use crate::attempt::AttemptStatus;
use crate::case::{Case, CaseOutcome};
use crate::history::Happened;
use crate::id::{CaseId, StageName};
use crate::stage::StageStatus;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, id: CaseId, reason: &str) -> Verdict {
    fence::human(step)?;
    fence::line("reason", reason)?;
    fence::unfinished(step, id)?;
    let Some(mut case) = step.state.cases.remove(&id) else {
        return Err(Rejection::NoCase(id));
    };
    step.note(&mut case, Happened::Cancelled(reason.to_owned()));
    end_all(
        step,
        &mut case,
        AttemptStatus::Cancelled,
        "the case was cancelled",
    );
    case.ending = Some(CaseOutcome::Cancelled);
    case.ending_reason = Some(reason.to_owned());
    step.state.cases.insert(id, case);
    step.unsettled.insert(id);
    Ok(Outcome::Done)
}

/// Ends whatever of a case runs or waits.
pub(super) fn end_all(step: &mut Step<'_>, case: &mut Case, status: AttemptStatus, reason: &str) {
    let live: Vec<u32> = case.live_attempts().map(|(number, _)| number).collect();
    for number in live {
        step.end_attempt(case, number, status, None);
    }
    let open: Vec<StageName> = case
        .all_stages()
        .filter(|stage| !stage.status.is_final())
        .map(|stage| stage.spec.name.clone())
        .collect();
    for name in open {
        step.unqueue(case, &name);
        if let Some(stage) = case.stage_mut(&name) {
            stage.end(StageStatus::Skipped, reason);
        }
    }
}
