//! A human takes a node out of the cluster for ever: its number is never used again.

use crate::duty::Subject;
use crate::id::NodeId;
use crate::node::{Health, Node};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::{fence, set_role};

pub(super) fn apply(step: &mut Step<'_>, id: NodeId, is_forced: bool) -> Verdict {
    fence::human(step)?;
    if step.state.is_removed(id) {
        // Said twice.
        return Ok(Outcome::Done);
    }
    let node = step.state.nodes.get(&id).ok_or(Rejection::NoNode(id))?;
    if !is_forced {
        expendable(node)?;
    }
    set_role::another_may_vote(step, id)?;
    let name = node.facts.name.clone();
    step.leave_by_butlers(id);
    step.leave_by_workers(id, &format!("lost: node {name} was removed"));
    step.state.nodes.remove(&id);
    step.state.removed.insert(id);
    step.touched.insert(Subject::Node(id));
    Ok(Outcome::Done)
}

/// Whether nothing is lost with the node.
fn expendable(node: &Node) -> Result<(), Rejection> {
    let is = if node.health == Health::Down {
        return Ok(());
    } else if node.drained.is_none() {
        format!("{} and not drained: drain it first", node.health)
    } else if !node.workers.is_empty() {
        let (health, count) = (node.health, node.workers.len());
        format!("{health}, and workers still run something there ({count}): wait for them")
    } else {
        return Ok(());
    };
    let what = format!("node {}", node.facts.node);
    Err(Rejection::WrongState { what, is })
}
