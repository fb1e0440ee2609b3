//! Nodes: numbers never come again, nobody stands where nothing may, and who votes is well chosen.

use std::collections::BTreeSet;

use rules::id::NodeId;
use rules::node::{Health, Node};
use rules::worker::Worker;
use rules::{State, limits, members};

use super::broken;
use crate::lab::Told;

pub fn numbers_are_given_once(told: &Told<'_>) -> Result<(), String> {
    let (before, after) = (told.before, told.after);
    let all = |state: &State| -> BTreeSet<NodeId> {
        state.nodes.keys().chain(&state.removed).copied().collect()
    };
    if !all(before).is_subset(&all(after)) || !before.removed.is_subset(&after.removed) {
        return broken("a node was forgotten");
    }
    let both = after.nodes.keys().find(|node| after.is_removed(**node));
    let is_given = |node: &NodeId| *node < after.next_node;
    if both.is_some() || after.next_node < before.next_node || !all(after).iter().all(is_given) {
        return broken(format!("a number is given twice: {after:?}"));
    }
    let names: BTreeSet<_> = after.nodes.values().map(|node| &node.facts.name).collect();
    let keyed = after.nodes.values().filter_map(|node| node.key);
    let (keys, count): (BTreeSet<_>, usize) = (keyed.clone().collect(), keyed.count());
    if names.len() != after.nodes.len() || keys.len() != count {
        return broken(format!("two nodes are alike: {:?}", after.nodes));
    }
    for (id, old) in &before.nodes {
        let new = after.nodes.get(id);
        if new.is_some_and(|new| new.facts.incarnation < old.facts.incarnation) {
            return broken(format!("{id} went back to an older start"));
        }
    }
    Ok(())
}

pub fn nobody_stands_where_nothing_may(told: &Told<'_>) -> Result<(), String> {
    let state = told.after;
    for (id, node) in &state.nodes {
        if !node.takes_new() && !node.butlers.is_empty() {
            return broken(format!("butlers stand on {id}: {node:?}"));
        }
        if node.health == Health::Down && !node.workers.is_empty() {
            return broken(format!("workers stand on {id}, which is down"));
        }
        let workers = node.workers.iter().map(|worker| &state.workers[worker]);
        if node.is_drained() && workers.clone().any(|worker| worker.running.is_empty()) {
            return broken(format!("idle workers stand on {id}, which is drained"));
        }
        let mut idle = workers.filter(|worker| worker.running.is_empty());
        if let Some(worker) = idle.find(|worker| !can_reach_its_targets(state, node, worker)) {
            return broken(format!("{worker:?} cannot reach its targets from {id}"));
        }
    }
    for (id, case) in &state.cases {
        let old = told.before.cases.get(id);
        for (number, attempt) in &case.attempts {
            let is_new = old.is_none_or(|old| !old.attempts.contains_key(number));
            let node = state.nodes.get(&attempt.node);
            if is_new && !node.is_some_and(Node::takes_new) {
                return broken(format!("{id}.{number} began on {node:?}"));
            }
            let worker = state.workers.get(&attempt.worker);
            let reaches = |node| worker.is_none_or(|of| can_reach_its_targets(state, node, of));
            if is_new && attempt.status.is_live() && !node.is_some_and(reaches) {
                return broken(format!("{id}.{number} cannot reach its targets"));
            }
        }
    }
    Ok(())
}

/// As far as the node has said, since the rules ask for it.
fn can_reach_its_targets(state: &State, node: &Node, worker: &Worker) -> bool {
    let Some(way_out) = node.way_out.as_ref().filter(|_| state.version >= 2) else {
        return true;
    };
    let targets = state.targets.values();
    let mut theirs = targets.filter(|target| target.teams.contains(&worker.spec.id.team));
    theirs.all(|target| {
        let has_secret = !target.needs_secret || way_out.secrets.contains(&target.name);
        way_out.is_confined && has_secret
    })
}

pub fn what_a_lost_node_ran_is_lost_without_blame(told: &Told<'_>) -> Result<(), String> {
    for (id, old) in &told.before.cases {
        let Some(new) = told.after.cases.get(id) else {
            continue;
        };
        for (number, attempt) in old.live_attempts() {
            let node = told.after.nodes.get(&attempt.node);
            let is_gone = node.is_none_or(|node| node.health == Health::Down);
            let later = &new.attempts[&number];
            if is_gone && later.status.is_live() {
                return broken(format!("{id}.{number} goes on on a node that is gone"));
            }
            let stages = (old.stage(&attempt.stage), new.stage(&attempt.stage));
            if let (Some(was), Some(is)) = stages
                && is_gone
                && told.entry.elapsed_ms == 0
                && is.failed_attempts > was.failed_attempts
            {
                return broken(format!("{id}: {is:?} is blamed for its node"));
            }
        }
    }
    Ok(())
}

pub fn who_votes_is_well_chosen(told: &Told<'_>) -> Result<(), String> {
    let state = told.after;
    let could: BTreeSet<NodeId> = state
        .nodes
        .iter()
        .filter(|(_, node)| node.may_vote())
        .map(|(id, _)| *id)
        .collect();
    // A cluster that begins again from a backup waits for its only node's first word.
    let is_founded = state.nodes.values().any(Node::has_joined);
    if could.is_empty() && is_founded {
        return broken("nobody could vote");
    }
    if could.is_empty() {
        return Ok(());
    }
    let old = told.before.nodes.keys().copied().collect();
    for present in [BTreeSet::new(), old, could.clone()] {
        let voters = members::voters(state, &present);
        let is_odd = voters.len() % 2 == 1 && voters.len() <= limits::MAX_VOTERS;
        if !is_odd || !voters.is_subset(&could) || members::voters(state, &voters) != voters {
            return broken(format!("{voters:?} shall vote instead of {present:?}"));
        }
    }
    Ok(())
}
