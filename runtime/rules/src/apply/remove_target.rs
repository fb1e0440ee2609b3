//! A human takes a target away: nothing new is begun there; what was begun is settled as ever.

use crate::id::TargetName;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, name: &TargetName) -> Verdict {
    fence::human(step)?;
    match step.state.targets.remove(name) {
        Some(_) => Ok(Outcome::Done),
        None => Err(Rejection::NoTarget(name.clone())),
    }
}
