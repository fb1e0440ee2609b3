//! A human takes a policy of the organisation away.

use crate::id::PolicyName;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, name: &PolicyName) -> Verdict {
    fence::human(step)?;
    if step.state.people.policies.remove(name).is_none() {
        return Err(Rejection::NoPolicy(name.clone()));
    }
    step.state.people.changed();
    Ok(Outcome::Done)
}
