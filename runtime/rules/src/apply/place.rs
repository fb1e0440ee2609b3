//! The Manager gives teams and workers their nodes.
//!
//! # Why
//! A placement that is outdated when its turn comes is passed over, not refused: the others of
//! the same entry stand, and what is still without a place is still a duty.

use crate::duty::Subject;
use crate::limits;
use crate::node::Node;
use crate::place::{Placed, Placement};
use crate::step::Step;
use crate::takeover::promise;
use crate::target::misfit;
use crate::verdict::{Outcome, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, placements: &[Placement]) -> Verdict {
    fence::manager(step)?;
    if placements.len() > limits::MAX_PLACEMENTS {
        return Err(over("max_placements", limits::MAX_PLACEMENTS));
    }
    for placement in placements {
        fence::line("reason", &placement.reason)?;
    }
    for placement in placements {
        let node = step.state.nodes.get(&placement.node);
        if node.is_some_and(|node| node.takes_new() && has_a_way_out(step, node, &placement.who)) {
            put(step, placement);
        }
    }
    Ok(Outcome::Done)
}

/// Whether a worker's agent could reach its targets from a node, or that is not known.
fn has_a_way_out(step: &Step<'_>, node: &Node, who: &Placed) -> bool {
    match who {
        Placed::Team(_) => true,
        Placed::Worker(id) => misfit(step.state, node, &id.team).is_none(),
    }
}

fn put(step: &mut Step<'_>, placement: &Placement) {
    let Some(node) = step.state.nodes.get_mut(&placement.node) else {
        return;
    };
    let place = Some((placement.node, placement.reason.clone()));
    match &placement.who {
        Placed::Team(name) => {
            let Some(team) = step.state.teams.get_mut(name) else {
                return;
            };
            if team.placed.is_some() || team.epoch != placement.epoch {
                return;
            }
            team.placed = place;
            node.butlers.insert(name.clone());
            step.touched.insert(Subject::Team(name.clone()));
            step.touched
                .extend(team.cases.iter().copied().map(Subject::Case));
        }
        Placed::Worker(id) => {
            let (Some(worker), Some(team)) = (
                step.state.workers.get_mut(id),
                step.state.teams.get_mut(&id.team),
            ) else {
                return;
            };
            if worker.placed.is_some() || worker.epoch != placement.epoch {
                return;
            }
            worker.placed = place;
            promise(node, team, id, &worker.spec.agent.limits);
            step.touched.insert(Subject::Worker(id.clone()));
            step.freed.insert(id.clone());
        }
    }
    step.touched.insert(Subject::Node(placement.node));
}
