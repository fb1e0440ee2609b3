//! What runs is what should run: attempts, workers and stages know each other.

use std::collections::BTreeSet;

use rules::case::PLANNING;
use rules::id::AttemptId;
use rules::stage::StageStatus;

use super::broken;
use crate::lab::Told;

pub fn live_attempts_are_what_their_workers_run(told: &Told<'_>) -> Result<(), String> {
    let mut live = BTreeSet::new();
    for (id, case) in &told.after.cases {
        for (number, attempt) in case.live_attempts() {
            let what = AttemptId { case: *id, number };
            live.insert((attempt.worker.clone(), what));
            let Some(worker) = told.after.workers.get(&attempt.worker) else {
                return broken(format!("{what} runs on no worker"));
            };
            let placed = worker.placed.as_ref().map(|(node, _)| *node);
            if worker.epoch != attempt.epoch || placed != Some(attempt.node) || !worker.is_awake {
                return broken(format!("{what} is not where its worker is: {worker:?}"));
            }
            let stage = case.stage(&attempt.stage);
            if stage.and_then(|stage| stage.attempt) != Some(number) {
                return broken(format!("{what} is not the attempt of {stage:?}"));
            }
        }
        for stage in case.all_stages() {
            let has = stage.attempt.and_then(|number| case.attempts.get(&number));
            let runs = matches!(stage.status, StageStatus::Assigned | StageStatus::Running);
            if runs != has.is_some_and(|attempt| attempt.status.is_live()) {
                return broken(format!("{id}: {stage:?} has {has:?}"));
            }
        }
    }
    let running = told.after.workers.iter();
    let running: BTreeSet<_> = running
        .flat_map(|(id, worker)| worker.running.iter().map(|what| (id.clone(), *what)))
        .collect();
    if running != live {
        return broken(format!("workers run {running:?}, live are {live:?}"));
    }
    Ok(())
}

pub fn no_worker_is_given_more_than_it_takes_at_once(told: &Told<'_>) -> Result<(), String> {
    for (id, worker) in &told.after.workers {
        let before = told.before.workers.get(id);
        let had = before.map_or(0, |worker| worker.running.len());
        // Whoever is told to take less at once brings what it has to its end.
        if worker.running.len() > had.max(worker.spec.parallel as usize) {
            return broken(format!("{id} runs too much: {worker:?}"));
        }
    }
    Ok(())
}

pub fn a_stage_runs_after_those_that_it_needs(told: &Told<'_>) -> Result<(), String> {
    for (id, case) in &told.after.cases {
        for stage in &case.stages {
            let lets_begin = stage
                .spec
                .after
                .iter()
                .all(|name| case.stage(name).is_some_and(rules::stage::Stage::lets_pass));
            if stage.attempt.is_some() && !lets_begin {
                return broken(format!("{id}: {stage:?} runs before those that it needs"));
            }
        }
    }
    Ok(())
}

pub fn the_butlers_agent_plans_and_nobody_else(told: &Told<'_>) -> Result<(), String> {
    for (id, case) in &told.after.cases {
        for (number, attempt) in case.live_attempts() {
            let worker = &told.after.workers[&attempt.worker];
            if worker.is_butler_slot != (attempt.stage.as_str() == PLANNING) {
                return broken(format!("{id}.{number} runs on the wrong kind of worker"));
            }
        }
    }
    Ok(())
}
