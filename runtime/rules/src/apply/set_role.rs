//! A human says whether a node may or must be a voter.

use crate::duty::Subject;
use crate::id::NodeId;
use crate::limits;
use crate::node::{Node, Role};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, id: NodeId, role: Role) -> Verdict {
    fence::human(step)?;
    if !step.state.nodes.contains_key(&id) {
        return Err(Rejection::NoNode(id));
    }
    match role {
        Role::Auto => {}
        Role::Voter => {
            let is_other = |node: &&Node| node.role == Role::Voter && node.facts.node != id;
            let others = step.state.nodes.values().filter(is_other).count();
            if others >= limits::MAX_VOTERS {
                return Err(over("max_voters", limits::MAX_VOTERS));
            }
        }
        Role::Learner => another_may_vote(step, id)?,
    }
    if let Some(node) = step.state.nodes.get_mut(&id) {
        node.role = role;
    }
    step.touched.insert(Subject::Node(id));
    Ok(Outcome::Done)
}

/// Whether somebody is left who could vote, without this node.
pub(super) fn another_may_vote(step: &Step<'_>, id: NodeId) -> Result<(), Rejection> {
    let mut others = step.state.nodes.values();
    if others.any(|node| node.may_vote() && node.facts.node != id) {
        return Ok(());
    }
    Err(Rejection::WrongState {
        what: format!("node {id}"),
        is: "the last one that could vote".to_owned(),
    })
}
