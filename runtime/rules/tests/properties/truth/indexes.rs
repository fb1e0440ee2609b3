//! What a team says of its workers and cases is what they say of their team.

use std::collections::BTreeSet;

use super::broken;
use crate::lab::Told;

pub fn teams_know_their_workers_and_cases(told: &Told<'_>) -> Result<(), String> {
    let state = told.after;
    for (id, worker) in &state.workers {
        let Some(team) = state.teams.get(&id.team) else {
            return broken(format!("worker {id} is of no team"));
        };
        let is_slot = *id == team.butler_slot() && team.spec.agent.is_some();
        if worker.spec.id != *id || worker.is_butler_slot != is_slot {
            return broken(format!("worker {id} is another: {worker:?}"));
        }
    }
    for (name, team) in &state.teams {
        let workers = state.workers.keys().filter(|id| id.team == *name);
        let workers: BTreeSet<_> = workers.map(|id| id.name.clone()).collect();
        let cases = state.cases.values();
        let cases = cases.filter(|case| case.team.as_ref() == Some(name));
        let charged: u64 = cases.clone().map(|case| case.blob_bytes).sum();
        if team.blob_bytes != charged {
            return broken(format!("team {name} is charged {charged}: {team:?}"));
        }
        let cases: BTreeSet<_> = cases.map(|case| case.id).collect();
        if team.workers != workers || team.cases != cases {
            return broken(format!("team {name} has {workers:?}, {cases:?}: {team:?}"));
        }
        let has_slot = state.workers.contains_key(&team.butler_slot());
        if has_slot != team.spec.agent.is_some() {
            return broken(format!("team {name} has another butler: {team:?}"));
        }
    }
    for (id, case) in &state.cases {
        let named: BTreeSet<_> = rules::blobs::of_case(case).into_iter().collect();
        if named.iter().map(|blob| blob.bytes).sum::<u64>() > case.blob_bytes {
            return broken(format!(
                "case {id} names more than its team is charged with"
            ));
        }
        let team = case.team.as_ref();
        if team.is_some_and(|team| !state.teams.contains_key(team)) {
            return broken(format!("case {id} is of a team that is not there"));
        }
    }
    Ok(())
}
