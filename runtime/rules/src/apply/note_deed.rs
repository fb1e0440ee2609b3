//! A human had a node do something by itself: the entry is the record, and the state stays as it is.

use crate::id::NodeId;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, node: NodeId) -> Verdict {
    fence::human(step)?;
    if !step.state.nodes.contains_key(&node) {
        return Err(Rejection::NoNode(node));
    }
    Ok(Outcome::Done)
}
