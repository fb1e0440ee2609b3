//! A human ends a chaos run: its nodes take off what they have put on, and then it is gone.
//!
//! # Why
//! What they did must still find its run, so one that is under way is only said to end; it is gone when
//! that is said again, or when its time for that is over.

use crate::chaos::Run;
use crate::limits;
use crate::step::Step;
use crate::verdict::{Outcome, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, id: u64) -> Verdict {
    fence::human(step)?;
    if Run::of(step.state).is_none_or(|run| run.id != id) {
        // It is over already.
        return Ok(Outcome::Done);
    }
    if let Some((_, mut run)) = Run::take(step.state)
        && run.is_under_way()
        && !run.is_ending
    {
        run.is_ending = true;
        let until = step.state.clock.plus(limits::CHAOS_ARM_MS);
        run.put(step.state, until);
    }
    Ok(Outcome::Done)
}
