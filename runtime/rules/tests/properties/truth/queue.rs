//! The queue: who waits for a worker stands in it, and nobody else; the oldest goes first.

use std::collections::BTreeSet;

use rules::State;
use rules::case::Case;
use rules::id::{CaseId, StageName, TeamName};
use rules::stage::{Approval, Need, Stage, StageStatus};

use super::broken;
use crate::lab::Told;

/// Stages that wait for a free worker and for nothing else.
fn waiting(state: &State) -> BTreeSet<(TeamName, Need, CaseId, StageName)> {
    let mut all = BTreeSet::new();
    for (id, case) in &state.cases {
        let Some(team) = &case.team else { continue };
        for stage in case.all_stages().filter(|stage| is_ready(case, stage)) {
            let (need, name) = (stage.spec.need.clone(), stage.spec.name.clone());
            all.insert((team.clone(), need, *id, name));
        }
    }
    all
}

fn is_ready(case: &Case, stage: &Stage) -> bool {
    let is_of_now = case.is_planned != (stage.spec.need == Need::Butler);
    let has_say = stage.spec.approval.is_none() || matches!(stage.approval, Approval::Given { .. });
    let passes = |name: &StageName| case.stage(name).is_some_and(Stage::lets_pass);
    case.ending.is_none()
        && !case.is_paused
        && is_of_now
        && has_say
        && stage.status == StageStatus::Pending
        && stage.spec.after.iter().all(passes)
}

pub fn exactly_the_stages_that_wait_for_a_worker_are_queued(told: &Told<'_>) -> Result<(), String> {
    let mut queued = BTreeSet::new();
    for (team, found) in &told.after.teams {
        for (need, queue) in &found.queue {
            if queue.is_empty() {
                return broken(format!("team {team} keeps an empty queue for {need:?}"));
            }
            for (case, stage) in queue {
                queued.insert((team.clone(), need.clone(), *case, stage.clone()));
            }
        }
    }
    let waiting = waiting(told.after);
    if queued == waiting {
        return Ok(());
    }
    broken(format!("queued are {queued:?}, waiting {waiting:?}"))
}

pub fn no_free_worker_and_stage_wait_for_each_other(told: &Told<'_>) -> Result<(), String> {
    for (team, found) in &told.after.teams {
        for (need, queue) in &found.queue {
            let members = told.after.workers.values();
            let idle = members
                .filter(|worker| worker.spec.id.team == *team)
                .find(|worker| told.after.has_room(worker) && worker.can(need));
            if let Some(worker) = idle {
                let id = &worker.spec.id;
                return broken(format!("{id} is free and {queue:?} wait for {need:?}"));
            }
        }
    }
    Ok(())
}

pub fn nobody_jumps_the_queue(told: &Told<'_>) -> Result<(), String> {
    // An entry that lets time limits pass is two steps: what the first gave away may be awaited
    // in the second.
    let is_two_steps = told.entry.elapsed_ms > 0;
    for (id, case) in &told.after.cases {
        let old = told.before.cases.get(id);
        for (number, attempt) in case.live_attempts() {
            if is_two_steps || old.is_some_and(|old| old.attempts.contains_key(&number)) {
                continue;
            }
            let worker = &told.after.workers[&attempt.worker];
            let queues = &told.after.teams[&attempt.worker.team].queue;
            let older = queues
                .iter()
                .filter(|(need, _)| worker.can(need))
                .filter_map(|(_, queue)| queue.first())
                .find(|(case, _)| case < id);
            if let Some((older, stage)) = older {
                return broken(format!("{id}.{number} went before {stage} of {older}"));
            }
        }
    }
    Ok(())
}
