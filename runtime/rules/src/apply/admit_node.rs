//! A newcomer with a token gets its number: the same key the same one, however often it asks.

use crate::duty::Subject;
use crate::id::NodeId;
use crate::limits;
use crate::node::Node;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::{fence, join_node};

pub(super) fn apply(step: &mut Step<'_>, hash: &[u8; 32], name: &str, key: &[u8; 32]) -> Verdict {
    fence::any_node(step)?;
    join_node::node_name(name)?;
    let now = step.state.clock;
    let mut tokens = step.state.tokens.values();
    if !tokens.any(|token| token.hash == *hash && token.until > now) {
        return Err(Rejection::WrongState {
            what: "the token".to_owned(),
            is: "unknown, or its time is over: have a new one made".to_owned(),
        });
    }
    let known = |node: &&Node| node.key.as_ref() == Some(key);
    if let Some(node) = step.state.nodes.values().find(known) {
        if node.facts.name == name {
            return Ok(Outcome::Admitted(node.facts.node));
        }
        let (id, own) = (node.facts.node, &node.facts.name);
        return Err(Rejection::WrongState {
            what: "the newcomer's key".to_owned(),
            is: format!("node {id}'s, whose name is {own}"),
        });
    }
    let namesake = |node: &&Node| node.facts.name == name;
    if let Some(node) = step.state.nodes.values().find(namesake) {
        return Err(Rejection::WrongState {
            what: format!("the name {name}"),
            is: format!("node {}'s", node.facts.node),
        });
    }
    if step.state.nodes.len() >= limits::MAX_NODES {
        return Err(over("max_nodes", limits::MAX_NODES));
    }
    let id = step.state.next_node;
    if id.0 > limits::MAX_NODE_NUMBER {
        return Err(Rejection::Limit {
            limit: "max_node_number".to_owned(),
            max: limits::MAX_NODE_NUMBER,
        });
    }
    step.state.next_node = NodeId(id.0 + 1);
    let node = Node::admitted(id, name.to_owned(), Some(*key), now);
    step.state.nodes.insert(id, node);
    step.touched.insert(Subject::Node(id));
    Ok(Outcome::Admitted(id))
}
