//! A node says for which targets it has secrets, and whether its agents are kept from them.
//!
//! # Why
//! Apart from joining, because secrets come and go while a daemon runs. Whoever stands where they may
//! not any more leaves once they run nothing: what runs is refused by the gateway itself.

use crate::duty::Subject;
use crate::id::{NodeId, check_word};
use crate::limits;
use crate::step::Step;
use crate::target::WayOut;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(
    step: &mut Step<'_>,
    id: NodeId,
    incarnation: u64,
    way_out: &WayOut,
) -> Verdict {
    fence::node(step, id)?;
    if way_out.secrets.len() > limits::MAX_TARGETS {
        return Err(over("max_targets", limits::MAX_TARGETS));
    }
    let mut names = way_out.secrets.iter();
    if let Some(bad) = names.find_map(|name| check_word(name.as_str()).err()) {
        return Err(Rejection::Invalid(vec![bad.to_string()]));
    }
    let node = step.state.nodes.get_mut(&id).ok_or(Rejection::NoNode(id))?;
    let present = node.facts.incarnation;
    if present != incarnation {
        let what = format!("node {id} is at start {present}, not {incarnation}");
        return Err(Rejection::Stale { what });
    }
    if node.way_out.as_ref() == Some(way_out) {
        return Ok(Outcome::Done);
    }
    node.way_out = Some(way_out.clone());
    step.touched.insert(Subject::Node(id));
    step.look_after_workers(id);
    Ok(Outcome::Done)
}
