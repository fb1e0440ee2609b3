//! A document comes, or takes the place of the one before it.

use std::collections::{BTreeMap, BTreeSet};

use crate::duty::Subject;
use crate::id::WorkerId;
use crate::state::Alarm;
use crate::step::Step;
use crate::team::{Document, Team, TeamSpec, WorkerSpec};
use crate::worker::Worker;

use super::super::replace_worker;
use super::remove;

/// Plans that a butler's agent makes at once: planning is short, and cases should not queue for it.
const BUTLER_PLANS_AT_ONCE: u32 = 4;
/// How long a butler's agent stays awake: a plan that is sent back comes within seconds.
const BUTLER_IDLE_MS: u64 = 60_000;

pub(super) fn one(step: &mut Step<'_>, document: &Document) {
    match document {
        Document::Team(spec) => team(step, spec),
        Document::Worker(spec) => worker(step, spec, false),
        Document::Playbook(spec) => {
            if let Some(team) = step.state.teams.get_mut(&spec.team) {
                team.playbooks.insert(spec.name.clone(), spec.clone());
            }
        }
    }
}

fn team(step: &mut Step<'_>, spec: &TeamSpec) {
    step.touched.insert(Subject::Team(spec.name.clone()));
    let old = step.state.teams.get(&spec.name);
    let old_slot = old.map(Team::butler_slot);
    if old.is_some_and(|old| old.spec.labels != spec.labels) {
        step.leave_team(&spec.name);
    }
    if let Some(team) = step.state.teams.get_mut(&spec.name) {
        team.spec = spec.clone();
    } else {
        let epoch = step.state.new_epoch();
        let team = Team {
            spec: spec.clone(),
            playbooks: BTreeMap::new(),
            placed: None,
            epoch,
            workers: BTreeSet::new(),
            cases: BTreeSet::new(),
            queue: BTreeMap::new(),
            spread: BTreeMap::new(),
            blob_bytes: 0,
        };
        step.state.teams.insert(spec.name.clone(), team);
    }
    let id = WorkerId {
        team: spec.name.clone(),
        name: spec.butler.clone(),
    };
    if let Some(old) = old_slot
        && (old != id || spec.agent.is_none())
    {
        remove::worker(step, &old);
    }
    if let Some(agent) = &spec.agent {
        let slot = WorkerSpec {
            id,
            title: format!("plans the cases of {}", spec.name),
            agent: agent.clone(),
            parallel: BUTLER_PLANS_AT_ONCE,
            idle_after_ms: BUTLER_IDLE_MS,
            labels: spec.labels.clone(),
        };
        worker(step, &slot, true);
    }
}

fn worker(step: &mut Step<'_>, spec: &WorkerSpec, is_butler_slot: bool) {
    step.touched.insert(Subject::Worker(spec.id.clone()));
    let Some(worker) = step.state.workers.get(&spec.id) else {
        let epoch = step.state.new_epoch();
        let worker = Worker {
            spec: spec.clone(),
            is_butler_slot,
            placed: None,
            epoch,
            is_awake: false,
            idle_since: None,
            running: BTreeSet::new(),
        };
        step.state.workers.insert(spec.id.clone(), worker);
        if let Some(team) = step.state.teams.get_mut(&spec.id.team) {
            team.workers.insert(spec.id.name.clone());
        }
        return;
    };
    if !worker.spec.agent.has_container_of(&spec.agent) || worker.spec.labels != spec.labels {
        replace_worker::renew(step, &spec.id, "the worker was described anew");
        step.leave_worker(&spec.id);
    }
    if let Some(worker) = step.state.workers.get_mut(&spec.id) {
        if let Some(since) = worker.idle_since {
            let alarm = Alarm::Idle(spec.id.clone());
            let due = since.plus(worker.spec.idle_after_ms);
            step.state.alarms.remove(&(due, alarm.clone()));
            let due = since.plus(spec.idle_after_ms);
            step.state.alarms.insert((due, alarm));
        }
        worker.spec = spec.clone();
    }
    step.freed.insert(spec.id.clone());
}
