//! The Manager says how a node is; what must leave it leaves it by the same entry.

use crate::duty::Subject;
use crate::id::NodeId;
use crate::node::Health;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(
    step: &mut Step<'_>,
    id: NodeId,
    incarnation: u64,
    health: Health,
    reason: &str,
) -> Verdict {
    fence::manager(step)?;
    fence::line("reason", reason)?;
    let now = step.state.clock;
    let node = step.state.nodes.get_mut(&id).ok_or(Rejection::NoNode(id))?;
    if !node.has_joined() {
        return Err(Rejection::WrongState {
            what: format!("node {id}"),
            is: "admitted and has not joined yet".to_owned(),
        });
    }
    let present = node.facts.incarnation;
    if present != incarnation {
        let what = format!("node {id} is at start {present}, not {incarnation}");
        return Err(Rejection::Stale { what });
    }
    node.set_health(health, reason, now);
    let name = node.facts.name.clone();
    step.touched.insert(Subject::Node(id));
    match health {
        Health::Up => step.look_after_workers(id),
        Health::Suspect => step.leave_by_butlers(id),
        Health::Down => {
            step.leave_by_butlers(id);
            step.leave_by_workers(id, &format!("lost: node {name} is down"));
        }
    }
    Ok(Outcome::Done)
}
