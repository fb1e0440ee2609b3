//! What a node has promised is the sum of what the workers placed there may take.

use std::collections::BTreeMap;

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
