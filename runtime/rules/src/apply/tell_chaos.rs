//! A node says how far it is with its part of a chaos run, and what it did.
//!
//! # Why
//! What was done is told also after the run is over: a node may have been cut off until then, and the
//! entry is the record of it.

use crate::chaos::{News, Part, Run};
use crate::id::NodeId;
use crate::limits;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, node: NodeId, id: u64, news: &News) -> Verdict {
    fence::node(step, node)?;
    if let News::Part(Part::Refused(text)) = news {
        fence::line("reason", text)?;
    }
    if let News::Did(did) = news {
        fence::line("trouble", &did.trouble)?;
    }
    let is_of_it = |run: &Run| run.id == id && run.parts.contains_key(&node);
    if !Run::of(step.state).is_some_and(is_of_it) {
        return match news {
            News::Did(_) => Ok(Outcome::Done),
            News::Part(_) => Err(Rejection::Stale {
                what: format!("chaos run {id} is over, or not of {node}"),
            }),
        };
    }
    let Some((mut until, mut run)) = Run::take(step.state) else {
        return Ok(Outcome::Done);
    };
    match news {
        News::Part(part) => {
            // Whoever is over, or has refused, does not arm again.
            let now = run.parts.get(&node).cloned().unwrap_or(Part::Asked);
            if now < *part {
                run.parts.insert(node, part.clone());
            }
        }
        News::Did(did) => {
            let did = (node, did.clone());
            // A daemon that was killed meanwhile says it again.
            if !run.did.contains(&did) && run.did.len() < limits::MAX_CHAOS_DID {
                run.did.push(did);
            }
        }
    }
    let is_armed = run.parts.values().all(|part| *part == Part::Armed);
    if run.started.is_none() && is_armed {
        run.started = Some(step.state.clock);
        until = step.state.clock.plus(run.plan.limit_ms);
    }
    run.put(step.state, until);
    Ok(Outcome::Done)
}
