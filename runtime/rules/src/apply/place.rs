//! The Manager gives teams and workers their nodes.
//!
//! # Why
//! A placement that is outdated when its turn comes is passed over, not refused: the others of
//! the same entry stand, and what is still without a place is still a duty.

use crate::duty::Subject;
use crate::id::{TeamName, WorkerId};
use crate::limits;
use crate::node::Node;
use crate::place::{Placed, Placement};
use crate::state::Alarm;
use crate::step::Step;
use crate::team::AgentLimits;
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
        if step.state.nodes.contains_key(&placement.node) {
            put(step, placement);
        }
    }
    Ok(Outcome::Done)
}

fn put(step: &mut Step<'_>, placement: &Placement) {
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
            step.touched.insert(Subject::Team(name.clone()));
            step.touched
                .extend(team.cases.iter().copied().map(Subject::Case));
            if let Some(node) = step.state.nodes.get_mut(&placement.node) {
                node.butlers += 1;
            }
        }
        Placed::Worker(id) => {
            let Some(worker) = step.state.workers.get_mut(id) else {
                return;
            };
            if worker.placed.is_some() || worker.epoch != placement.epoch {
                return;
            }
            worker.placed = place;
            let takes = worker.spec.agent.limits;
            step.touched.insert(Subject::Worker(id.clone()));
            step.freed.insert(id.clone());
            if let Some(node) = step.state.nodes.get_mut(&placement.node) {
                promise(node, &takes);
            }
        }
    }
}

/// Takes a butler's place away: the next one, in a new epoch, may be elsewhere.
pub(super) fn leave_team(step: &mut Step<'_>, name: &TeamName) {
    let epoch = step.state.new_epoch();
    let Some(team) = step.state.teams.get_mut(name) else {
        return;
    };
    team.epoch = epoch;
    if let Some((at, _)) = team.placed.take()
        && let Some(node) = step.state.nodes.get_mut(&at)
    {
        node.butlers = node.butlers.saturating_sub(1);
    }
    step.touched.insert(Subject::Team(name.clone()));
    let cases = team.cases.iter().copied();
    step.touched.extend(cases.map(Subject::Case));
}

/// Takes a worker's place and container away; its next placement may be elsewhere.
pub(super) fn leave_worker(step: &mut Step<'_>, id: &WorkerId) {
    let Some(worker) = step.state.workers.get_mut(id) else {
        return;
    };
    if let Some(since) = worker.idle_since.take() {
        let due = since.plus(worker.spec.idle_after_ms);
        step.state.alarms.remove(&(due, Alarm::Idle(id.clone())));
    }
    worker.is_awake = false;
    let takes = worker.spec.agent.limits;
    if let Some((at, _)) = worker.placed.take()
        && let Some(node) = step.state.nodes.get_mut(&at)
    {
        release(node, &takes);
    }
}

/// Counts what a worker may take as promised.
fn promise(node: &mut Node, takes: &AgentLimits) {
    node.workers += 1;
    node.cpu_promised_milli += takes.cpu_milli;
    node.memory_promised_bytes += takes.memory_bytes;
}

/// Counts it as promised no more.
fn release(node: &mut Node, takes: &AgentLimits) {
    node.workers = node.workers.saturating_sub(1);
    node.cpu_promised_milli = node.cpu_promised_milli.saturating_sub(takes.cpu_milli);
    node.memory_promised_bytes = node
        .memory_promised_bytes
        .saturating_sub(takes.memory_bytes);
}
