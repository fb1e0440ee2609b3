//! Teams and workers of the rules as they are shown.

use std::collections::BTreeMap;

use rules::State;
use rules::id::WorkerId;
use rules::team::{AgentSpec, Team};
use rules::worker::Worker;

use super::document::playbook;
use crate::admin::wire;

/// A team in a line.
pub(in crate::admin) fn line(state: &State, team: &Team) -> wire::TeamLine {
    let slots = u64::from(state.workers.contains_key(&team.butler_slot()));
    let waiting: usize = team
        .queue
        .values()
        .map(std::collections::BTreeSet::len)
        .sum();
    wire::TeamLine {
        name: team.spec.name.to_string(),
        title: team.spec.title.clone(),
        butler: team.spec.butler.to_string(),
        node: team.placed.as_ref().map(|(node, _)| node.to_string()),
        workers: (team.workers.len() as u64).saturating_sub(slots),
        open_cases: team.cases.len() as u64,
        waiting_stages: waiting as u64,
    }
}

/// Everything about a team.
pub(in crate::admin) fn view(
    state: &State,
    team: &Team,
    freshness: wire::Freshness,
) -> wire::TeamView {
    let member = |name: &rules::id::WorkerName| {
        let id = WorkerId {
            team: team.spec.name.clone(),
            name: name.clone(),
        };
        state.workers.get(&id).map(worker_line)
    };
    wire::TeamView {
        line: line(state, team),
        topics: team.spec.topics.clone(),
        playbook: team.spec.playbook.as_ref().map(ToString::to_string),
        labels: team.spec.labels.clone(),
        epoch: team.epoch.0,
        placed_because: team.placed.as_ref().map(|(_, why)| why.clone()),
        agent: team.spec.agent.as_ref().map(agent),
        playbooks: team.playbooks.values().map(playbook).collect(),
        members: team.workers.iter().filter_map(member).collect(),
        freshness,
    }
}

/// What a worker is at.
pub(in crate::admin) fn worker_status(worker: &Worker) -> wire::WorkerStatus {
    if worker.placed.is_none() {
        wire::WorkerStatus::Homeless
    } else if !worker.running.is_empty() {
        wire::WorkerStatus::Busy
    } else if worker.is_awake {
        wire::WorkerStatus::Idle
    } else {
        wire::WorkerStatus::Asleep
    }
}

/// A worker in a line.
pub(in crate::admin) fn worker_line(worker: &Worker) -> wire::WorkerLine {
    wire::WorkerLine {
        id: worker.spec.id.to_string(),
        title: worker.spec.title.clone(),
        status: worker_status(worker),
        is_butler: worker.is_butler_slot,
        node: worker.placed.as_ref().map(|(node, _)| node.to_string()),
        epoch: worker.epoch.0,
        running: worker.running.iter().map(ToString::to_string).collect(),
        parallel: worker.spec.parallel,
        skills: worker
            .spec
            .agent
            .skills
            .keys()
            .map(ToString::to_string)
            .collect(),
    }
}

/// Everything about a worker.
pub(in crate::admin) fn worker_view(
    worker: &Worker,
    freshness: wire::Freshness,
) -> wire::WorkerView {
    wire::WorkerView {
        line: worker_line(worker),
        agent: agent(&worker.spec.agent),
        idle_after_ms: worker.spec.idle_after_ms,
        labels: worker.spec.labels.clone(),
        placed_because: worker.placed.as_ref().map(|(_, why)| why.clone()),
        freshness,
    }
}

fn agent(agent: &AgentSpec) -> wire::AgentView {
    wire::AgentView {
        kernel: agent.kernel.clone(),
        command: agent.command.clone(),
        image: agent.image.clone(),
        env: agent.env.clone(),
        soul: agent.soul.as_ref().map(ToString::to_string),
        skills: skills(agent),
        limits: limits(agent),
    }
}

/// The files of an agent's skills with their digests.
pub(super) fn skills(agent: &AgentSpec) -> BTreeMap<String, BTreeMap<String, String>> {
    let file = |file: &rules::team::SkillFile| (file.path.clone(), file.blob.to_string());
    let each = agent.skills.iter();
    each.map(|(name, files)| (name.to_string(), files.iter().map(file).collect()))
        .collect()
}

/// What an agent's container may take.
pub(super) fn limits(agent: &AgentSpec) -> wire::AgentLimits {
    wire::AgentLimits {
        cpu_milli: Some(agent.limits.cpu_milli),
        memory_bytes: Some(agent.limits.memory_bytes),
        pids: Some(agent.limits.pids),
        output_bytes: Some(agent.limits.output_bytes),
        wall_ms: Some(agent.limits.wall_ms),
    }
}
