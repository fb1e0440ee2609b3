//! A node says what it is and has, at each start of its daemon.
//!
//! # Why
//! Only a node that was admitted may join, but for the very first one: who forms a cluster has
//! nobody to ask. Its workers stay where they are: agents outlive the daemon.

use crate::duty::Subject;
use crate::id::NodeId;
use crate::limits;
use crate::node::{Health, Node, NodeFacts};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, facts: &NodeFacts) -> Verdict {
    let id = facts.node;
    fence::node(step, id)?;
    node_name(&facts.name)?;
    fence::line("engine", &facts.engine)?;
    fence::line("release", &facts.release)?;
    let address = facts.address.as_deref().unwrap_or_default();
    if address.len() > limits::MAX_ADDRESS_BYTES {
        return Err(over("max_address_bytes", limits::MAX_ADDRESS_BYTES));
    }
    if facts.incarnation == 0 {
        let why = "the starts of a daemon are counted from 1".to_owned();
        return Err(Rejection::Invalid(vec![why]));
    }
    known(step, facts)?;
    if facts.knows < step.state.version {
        return Err(Rejection::WrongState {
            what: format!("release {} of node {id}", facts.release),
            is: format!(
                "too old: it knows version {} of the rules, and the cluster uses {}; upgrade it",
                facts.knows, step.state.version
            ),
        });
    }
    let now = step.state.clock;
    let node = step
        .state
        .nodes
        .entry(id)
        .or_insert_with(|| Node::admitted(id, facts.name.clone(), None, now));
    node.facts = facts.clone();
    node.set_health(Health::Up, "it joined", now);
    step.state.next_node = step.state.next_node.max(NodeId(id.0 + 1));
    step.touched.insert(Subject::Node(id));
    step.look_after_workers(id);
    Ok(Outcome::Done)
}

/// Whether the node is one of the cluster, and still the one that it was.
fn known(step: &Step<'_>, facts: &NodeFacts) -> Result<(), Rejection> {
    let id = facts.node;
    let what = format!("node {id}");
    if let Some(node) = step.state.nodes.get(&id) {
        let own = &node.facts;
        if own.name != facts.name {
            let is = format!("{}, not {}: start it by its name", own.name, facts.name);
            return Err(Rejection::WrongState { what, is });
        }
        if own.incarnation > facts.incarnation {
            let what = format!("node {id} has started again since");
            return Err(Rejection::Stale { what });
        }
        return Ok(());
    }
    if step.state.is_removed(id) {
        let is = "removed for ever: have it join anew under another number".to_owned();
        return Err(Rejection::WrongState { what, is });
    }
    let is_first = step.state.nodes.is_empty();
    if is_first && (1..=limits::MAX_NODE_NUMBER).contains(&id.0) {
        return Ok(());
    }
    Err(Rejection::NoNode(id))
}

/// A node's name within its limit.
pub(super) fn node_name(name: &str) -> Result<(), Rejection> {
    if name.trim().is_empty() {
        return Err(Rejection::Invalid(vec!["a node has a name".to_owned()]));
    }
    if name.len() > limits::MAX_NODE_NAME_BYTES {
        return Err(over("max_node_name_bytes", limits::MAX_NODE_NAME_BYTES));
    }
    Ok(())
}
