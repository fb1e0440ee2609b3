//! What a node has promised is the sum of what the workers placed there may take.

use std::collections::BTreeMap;

use rules::id::NodeId;

use super::broken;
use crate::lab::Told;

pub fn nodes_promise_what_their_workers_may_take(told: &Told<'_>) -> Result<(), String> {
    let state = told.after;
    let mut sums: BTreeMap<_, [u64; 4]> = BTreeMap::new();
    for worker in state.workers.values() {
        if let Some((node, _)) = &worker.placed {
            let sum = sums.entry(*node).or_default();
            let takes = worker.spec.agent.limits;
            sum[0] = sum[0].saturating_add(takes.cpu_milli);
            sum[1] = sum[1].saturating_add(takes.memory_bytes);
            sum[2] += 1;
        }
    }
    for team in state.teams.values() {
        if let Some((node, _)) = &team.placed {
            sums.entry(*node).or_default()[3] += 1;
        }
    }
    for (name, team) in &state.teams {
        let mut spread = BTreeMap::new();
        let members = state.workers.values();
        let members = members.filter(|worker| worker.spec.id.team == *name);
        for (node, _) in members.filter_map(|worker| worker.placed.as_ref()) {
            *spread.entry(*node).or_default() += 1;
        }
        if spread != team.spread {
            return broken(format!("{name} is spread as {spread:?}: {team:?}"));
        }
    }
    for (id, node) in &state.nodes {
        let stands = |at: &Option<(NodeId, String)>| at.as_ref().is_some_and(|(at, _)| at == id);
        let mut workers = node.workers.iter();
        let mut butlers = node.butlers.iter();
        let is_whole = workers.all(|worker| stands(&state.workers[worker].placed))
            && butlers.all(|team| stands(&state.teams[team].placed));
        if !is_whole {
            return broken(format!("{id} names others than it holds: {node:?}"));
        }
    }
    if let Some(node) = sums.keys().find(|node| !state.nodes.contains_key(node)) {
        return broken(format!("something is placed on {node}, which is not there"));
    }
    for (id, node) in &state.nodes {
        let said = [
            node.cpu_promised_milli,
            node.memory_promised_bytes,
            node.workers.len() as u64,
            node.butlers.len() as u64,
        ];
        let sum = sums.get(id).copied().unwrap_or_default();
        if said != sum {
            return broken(format!("node {id} promised {said:?}, the sum is {sum:?}"));
        }
    }
    Ok(())
}
