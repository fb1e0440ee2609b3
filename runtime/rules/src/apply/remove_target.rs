//! A human takes a target away: nothing new is begun there; what was begun is settled as ever.

use crate::id::TargetName;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, name: &TargetName) -> Verdict {
    fence::human(step)?;
    let removed = step.state.targets.remove(name);
    let removed = removed.ok_or_else(|| Rejection::NoTarget(name.clone()))?;
    step.look_after_teams(removed.teams.into_iter());
    Ok(Outcome::Done)
}
