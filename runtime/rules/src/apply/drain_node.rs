//! A human has a node left by all that is on it, or lets it be used again.
//!
//! # Why
//! Nobody is interrupted: butlers go at once, since they lose nothing, and workers when what they
//! run has ended.

use crate::duty::Subject;
use crate::id::NodeId;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, id: NodeId, is_drained: bool, reason: &str) -> Verdict {
    fence::human(step)?;
    fence::line("reason", reason)?;
    let node = step.state.nodes.get_mut(&id).ok_or(Rejection::NoNode(id))?;
    node.drained = is_drained.then(|| reason.to_owned());
    step.touched.insert(Subject::Node(id));
    if is_drained {
        step.leave_by_butlers(id);
    }
    step.look_after_workers(id);
    Ok(Outcome::Done)
}
