//! A node says what it is and has.

use crate::duty::Subject;
use crate::limits;
use crate::node::{Node, NodeFacts};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, facts: &NodeFacts) -> Verdict {
    fence::node(step, facts.node)?;
    if facts.name.len() > limits::MAX_NODE_NAME_BYTES {
        return Err(over("max_node_name_bytes", limits::MAX_NODE_NAME_BYTES));
    }
    fence::line("engine", &facts.engine)?;
    fence::line("release", &facts.release)?;
    let namesake = step
        .state
        .nodes
        .values()
        .find(|other| other.facts.name == facts.name && other.facts.node != facts.node);
    if let Some(other) = namesake {
        let what = format!("the name {}", facts.name);
        return Err(Rejection::WrongState {
            what,
            is: format!("node {}'s", other.facts.node),
        });
    }
    match step.state.nodes.get_mut(&facts.node) {
        Some(node) if node.facts.incarnation > facts.incarnation => {
            return Err(Rejection::Stale {
                what: format!("node {} has started again since", facts.node),
            });
        }
        Some(node) => node.facts = facts.clone(),
        None => {
            let node = Node {
                facts: facts.clone(),
                cpu_promised_milli: 0,
                memory_promised_bytes: 0,
                workers: 0,
                butlers: 0,
            };
            step.state.nodes.insert(facts.node, node);
        }
    }
    step.touched.insert(Subject::Node(facts.node));
    Ok(Outcome::Done)
}
