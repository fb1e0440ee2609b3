//! A worker says that an attempt's container is gone, or never came to be.

use crate::attempt::AttemptStatus;
use crate::id::AttemptId;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::{fence, finish_attempt};

pub(super) fn apply(step: &mut Step<'_>, id: AttemptId, reason: &str) -> Verdict {
    let attempt = fence::worker(step, id)?;
    fence::line("reason", reason)?;
    if attempt.status == AttemptStatus::Lost {
        return Ok(Outcome::Done);
    }
    if !attempt.status.is_live() {
        return Err(finish_attempt::over(id, attempt));
    }
    let Some(mut case) = step.state.cases.remove(&id.case) else {
        return Err(Rejection::NoCase(id.case));
    };
    let reason = format!("lost: {reason}");
    step.fail_attempt(&mut case, id.number, AttemptStatus::Lost, None, &reason);
    step.state.cases.insert(id.case, case);
    Ok(Outcome::Done)
}
