//! A human says what a target is: where, what its methods mean, and for whom.

use crate::limits;
use crate::step::Step;
use crate::target::Target;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, target: &Target) -> Verdict {
    fence::human(step)?;
    let faults = target.faults();
    if !faults.is_empty() {
        return Err(Rejection::Invalid(faults));
    }
    let is_new = !step.state.targets.contains_key(&target.name);
    if is_new && step.state.targets.len() >= limits::MAX_TARGETS {
        return Err(over("max_targets", limits::MAX_TARGETS));
    }
    let before = step
        .state
        .targets
        .insert(target.name.clone(), target.clone());
    // Whoever it is for and stands where its secret is not, leaves; whom it is not for may go on.
    let before = before.into_iter().flat_map(|before| before.teams);
    step.look_after_teams(before.chain(target.teams.iter().cloned()));
    Ok(Outcome::Done)
}
