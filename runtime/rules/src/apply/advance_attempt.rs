//! A worker says how far an attempt is: forward only.

use crate::attempt::AttemptStatus;
use crate::command::Progress;
use crate::history::Happened;
use crate::id::AttemptId;
use crate::stage::StageStatus;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::{fence, finish_attempt};

pub(super) fn apply(step: &mut Step<'_>, id: AttemptId, to: Progress) -> Verdict {
    let attempt = fence::worker(step, id)?;
    if !attempt.status.is_live() {
        return Err(finish_attempt::over(id, attempt));
    }
    let to = match to {
        Progress::Preparing => AttemptStatus::Preparing,
        Progress::Running => AttemptStatus::Running,
    };
    if attempt.status >= to {
        return Ok(Outcome::Done);
    }
    let name = attempt.stage.clone();
    let case = step
        .state
        .cases
        .get_mut(&id.case)
        .ok_or(Rejection::NoCase(id.case))?;
    if let Some(attempt) = case.attempts.get_mut(&id.number) {
        attempt.status = to;
    }
    if to == AttemptStatus::Running {
        if let Some(stage) = case.stage_mut(&name) {
            stage.status = StageStatus::Running;
        }
        step.note_in(id.case, Happened::Started(name, id.number));
    }
    step.unsettled.insert(id.case);
    Ok(Outcome::Done)
}
