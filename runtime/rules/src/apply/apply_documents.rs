//! A human describes teams, workers and playbooks: all of it, or nothing.
//!
//! # Why
//! Everything is checked against what would be before anything is changed. The road not taken,
//! an entry for each document, leaves half a team behind when the second one is refused.

use std::collections::{BTreeMap, BTreeSet};

use crate::duty::Subject;
use crate::id::{Epoch, TeamName, WorkerId, check_word};
use crate::limits;
use crate::plan;
use crate::state::{Alarm, State};
use crate::step::Step;
use crate::team::{AgentSpec, Document, DocumentName, Team, TeamSpec, WorkerSpec};
use crate::verdict::{Outcome, Rejection, Verdict, over};
use crate::worker::Worker;

use super::{fence, place, replace_worker};

/// What a document would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Create,
    /// It is different from what is there.
    Update,
    /// It is there already, just so.
    Same,
}

/// What the state holds under a document's name.
fn present(state: &State, name: &DocumentName) -> Option<Document> {
    match name {
        DocumentName::Team(team) => state
            .teams
            .get(team)
            .map(|team| Document::Team(team.spec.clone())),
        DocumentName::Worker(id) => state
            .workers
            .get(id)
            .filter(|worker| !worker.is_butler_slot)
            .map(|worker| Document::Worker(worker.spec.clone())),
        DocumentName::Playbook(team, name) => state
            .teams
            .get(team)
            .and_then(|team| team.playbooks.get(name))
            .map(|playbook| Document::Playbook(playbook.clone())),
    }
}

/// What each of the documents would do, and what it would replace.
pub fn difference(
    state: &State,
    put: &[Document],
) -> Vec<(DocumentName, Change, Option<Document>)> {
    put.iter()
        .map(|document| {
            let name = document.name();
            let before = present(state, &name);
            let change = match &before {
                None => Change::Create,
                Some(same) if same == document => Change::Same,
                Some(_) => Change::Update,
            };
            (name, change, before)
        })
        .collect()
}

/// Whether the documents would be taken; nothing is changed.
pub fn check(state: &State, put: &[Document], remove: &[DocumentName]) -> Result<(), Rejection> {
    if put.len() + remove.len() > limits::MAX_DOCUMENTS {
        return Err(over("max_documents", limits::MAX_DOCUMENTS));
    }
    let mut faults = Vec::new();
    check_names(put, remove, &mut faults);
    for name in remove {
        if present(state, name).is_none() {
            return Err(Rejection::NoDocument(name.clone()));
        }
    }
    check_whole(state, put, remove, &mut faults)?;
    if !faults.is_empty() {
        faults.truncate(limits::MAX_REASONS);
        return Err(Rejection::Invalid(faults));
    }
    Ok(())
}

pub(super) fn apply(step: &mut Step<'_>, put: &[Document], remove: &[DocumentName]) -> Verdict {
    fence::human(step)?;
    check(step.state, put, remove)?;
    let (mut created, mut changed, mut unchanged) = (0, 0, 0);
    let mut changes = difference(step.state, put);
    changes.sort_by_key(|(name, ..)| std::cmp::Reverse(name.clone()));
    for (name, change, _) in &changes {
        match change {
            Change::Create => created += 1,
            Change::Update => changed += 1,
            Change::Same => unchanged += 1,
        }
        if *change != Change::Same
            && let Some(document) = put.iter().find(|document| document.name() == *name)
        {
            put_one(step, document);
        }
    }
    let mut remove = remove.to_vec();
    remove.sort();
    for name in &remove {
        remove_one(step, name);
    }
    let removed = u32::try_from(remove.len()).unwrap_or(u32::MAX);
    Ok(Outcome::Applied {
        created,
        changed,
        unchanged,
        removed,
    })
}

fn check_names(put: &[Document], remove: &[DocumentName], faults: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for name in put.iter().map(Document::name).chain(remove.iter().cloned()) {
        let words: Vec<&str> = match &name {
            DocumentName::Team(team) => vec![team.as_str()],
            DocumentName::Worker(id) => vec![id.team.as_str(), id.name.as_str()],
            DocumentName::Playbook(team, name) => vec![team.as_str(), name.as_str()],
        };
        for word in words {
            if let Err(bad) = check_word(word) {
                faults.push(bad.to_string());
            }
        }
        if !seen.insert(name.clone()) {
            faults.push(format!("{name} stands twice"));
        }
    }
}

/// Checks what would be: every reference finds its other end, every limit is kept.
fn check_whole(
    state: &State,
    put: &[Document],
    remove: &[DocumentName],
    faults: &mut Vec<String>,
) -> Result<(), Rejection> {
    let mut teams: BTreeSet<&TeamName> = state.teams.keys().collect();
    let mut workers: BTreeMap<&TeamName, BTreeSet<&WorkerId>> = BTreeMap::new();
    for (id, worker) in &state.workers {
        if put
            .iter()
            .any(|document| document.name() == DocumentName::Team(id.team.clone()))
            || put.iter().any(
                |document| matches!(document, Document::Worker(spec) if spec.id.team == id.team),
            )
        {
            if !worker.is_butler_slot {
                workers.entry(&id.team).or_default().insert(id);
            }
        }
    }
    for document in put {
        match document {
            Document::Team(spec) => {
                teams.insert(&spec.name);
            }
            Document::Worker(spec) => {
                workers.entry(&spec.id.team).or_default().insert(&spec.id);
            }
            Document::Playbook(_) => {}
        }
    }
    for name in remove {
        match name {
            DocumentName::Team(team) => {
                idle(state, team)?;
                teams.remove(team);
            }
            DocumentName::Worker(id) => {
                if let Some(workers) = workers.get_mut(&id.team) {
                    workers.remove(id);
                }
            }
            DocumentName::Playbook(team, playbook) => {
                let stays =
                    teams.contains(team) && !remove.contains(&DocumentName::Team(team.clone()));
                let described = put
                    .iter()
                    .any(|d| d.name() == DocumentName::Team(team.clone()));
                let leans = state
                    .teams
                    .get(team)
                    .is_some_and(|team| team.spec.playbook.as_ref() == Some(playbook));
                if stays && !described && leans {
                    faults.push(format!(
                        "{name} is the team's own choice; choose another first"
                    ));
                }
            }
        }
    }
    if teams.len() > limits::MAX_TEAMS {
        return Err(over("max_teams", limits::MAX_TEAMS));
    }
    let added = put
        .iter()
        .filter(|d| matches!(d, Document::Worker(_) | Document::Team(_)))
        .count();
    if state.workers.len() + added > limits::MAX_WORKERS {
        return Err(over("max_workers", limits::MAX_WORKERS));
    }
    if workers
        .values()
        .any(|workers| workers.len() >= limits::MAX_WORKERS_PER_TEAM)
    {
        return Err(over("max_workers_per_team", limits::MAX_WORKERS_PER_TEAM));
    }
    for document in put {
        faults.extend(document_faults(state, document, put, remove, &teams));
    }
    Ok(())
}

/// A team goes only when nobody waits for it.
fn idle(state: &State, team: &TeamName) -> Result<(), Rejection> {
    let open = state.teams.get(team).map_or(0, |team| team.cases.len());
    if open == 0 {
        return Ok(());
    }
    Err(Rejection::WrongState {
        what: format!("team {team}"),
        is: format!("at work on {open} open cases; cancel them or let them end"),
    })
}

fn document_faults(
    state: &State,
    document: &Document,
    put: &[Document],
    remove: &[DocumentName],
    teams: &BTreeSet<&TeamName>,
) -> Vec<String> {
    let mut faults = Vec::new();
    let name = document.name();
    let will_be = |wanted: &DocumentName| {
        put.iter().any(|other| other.name() == *wanted)
            || (present(state, wanted).is_some() && !remove.contains(wanted))
    };
    match document {
        Document::Team(spec) => {
            if let Some(playbook) = &spec.playbook
                && !will_be(&DocumentName::Playbook(spec.name.clone(), playbook.clone()))
            {
                faults.push(format!(
                    "{name}: there is no playbook {playbook} of that team"
                ));
            }
            let slot = WorkerId {
                team: spec.name.clone(),
                name: spec.butler.clone(),
            };
            if will_be(&DocumentName::Worker(slot.clone())) {
                faults.push(format!(
                    "{name}: the butler's name {} is a worker's too",
                    spec.butler
                ));
            }
            faults.extend(
                spec.agent
                    .iter()
                    .flat_map(|agent| agent_faults(&name, agent)),
            );
        }
        Document::Worker(spec) => {
            if !teams.contains(&spec.id.team) {
                faults.push(format!("{name}: there is no team {}", spec.id.team));
            }
            if state
                .teams
                .get(&spec.id.team)
                .is_some_and(|team| team.spec.butler == spec.id.name)
                && !put
                    .iter()
                    .any(|other| other.name() == DocumentName::Team(spec.id.team.clone()))
            {
                faults.push(format!("{name}: that is the name of the team's butler"));
            }
            if !(1..=limits::MAX_PARALLEL).contains(&spec.parallel) {
                faults.push(format!("{name}: parallel is 1 to {}", limits::MAX_PARALLEL));
            }
            faults.extend(agent_faults(&name, &spec.agent));
        }
        Document::Playbook(spec) => {
            if !teams.contains(&spec.team) {
                faults.push(format!("{name}: there is no team {}", spec.team));
            }
            let known = state
                .teams
                .get(&spec.team)
                .map_or(0, |team| team.playbooks.len());
            if known >= limits::MAX_PLAYBOOKS {
                faults.push(format!(
                    "{name}: a team has at most {} playbooks",
                    limits::MAX_PLAYBOOKS
                ));
            }
            faults.extend(
                plan::faults(&spec.stages)
                    .into_iter()
                    .map(|why| format!("{name}: {why}")),
            );
        }
    }
    faults
}

fn agent_faults(name: &DocumentName, agent: &AgentSpec) -> Vec<String> {
    let mut faults = Vec::new();
    if agent.command.is_empty() {
        faults.push(format!("{name}: its agent has no command"));
    }
    if agent.skills.len() > limits::MAX_SKILLS {
        faults.push(format!(
            "{name}: an agent has at most {} skills",
            limits::MAX_SKILLS
        ));
    }
    let takes = &agent.limits;
    if takes.cpu_milli == 0 || takes.memory_bytes == 0 || takes.pids == 0 || takes.output_bytes == 0
    {
        faults.push(format!(
            "{name}: an agent's limits are all greater than zero"
        ));
    }
    faults
}

fn put_one(step: &mut Step<'_>, document: &Document) {
    match document {
        Document::Team(spec) => put_team(step, spec),
        Document::Worker(spec) => put_worker(step, spec, false),
        Document::Playbook(spec) => {
            if let Some(team) = step.state.teams.get_mut(&spec.team) {
                team.playbooks.insert(spec.name.clone(), spec.clone());
            }
        }
    }
}

fn put_team(step: &mut Step<'_>, spec: &TeamSpec) {
    step.touched.insert(Subject::Team(spec.name.clone()));
    let old_slot = step.state.teams.get(&spec.name).map(Team::butler_slot);
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
        };
        step.state.teams.insert(spec.name.clone(), team);
    }
    let slot = WorkerId {
        team: spec.name.clone(),
        name: spec.butler.clone(),
    };
    if let Some(old) = old_slot
        && (old != slot || spec.agent.is_none())
    {
        remove_worker(step, &old);
    }
    if let Some(agent) = &spec.agent {
        let slot = WorkerSpec {
            id: slot,
            title: format!("plans the cases of {}", spec.name),
            agent: agent.clone(),
            parallel: BUTLER_PLANS_AT_ONCE,
            idle_after_ms: BUTLER_IDLE_MS,
            labels: spec.labels.clone(),
        };
        put_worker(step, &slot, true);
    }
}

/// Plans that a butler's agent makes at once: planning is short, and cases should not queue for it.
const BUTLER_PLANS_AT_ONCE: u32 = 4;
/// How long a butler's agent stays awake: a plan that is sent back comes within seconds.
const BUTLER_IDLE_MS: u64 = 60_000;

fn put_worker(step: &mut Step<'_>, spec: &WorkerSpec, is_butler_slot: bool) {
    step.touched.insert(Subject::Worker(spec.id.clone()));
    let Some(worker) = step.state.workers.get_mut(&spec.id) else {
        let epoch: Epoch = step.state.new_epoch();
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
    let (is_other_agent, is_other_place) = (
        worker.spec.agent != spec.agent,
        worker.spec.labels != spec.labels,
    );
    if !is_other_agent && !is_other_place && worker.spec == *spec {
        return;
    }
    if is_other_agent || is_other_place {
        replace_worker::renew(step, &spec.id, "the worker was described anew");
        sleep_and_leave(step, &spec.id);
    }
    if let Some(worker) = step.state.workers.get_mut(&spec.id) {
        worker.spec = spec.clone();
    }
    step.freed.insert(spec.id.clone());
}

/// Takes a worker's container and place away; its next placement may be elsewhere.
fn sleep_and_leave(step: &mut Step<'_>, id: &WorkerId) {
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
        place::release(node, &takes);
    }
}

fn remove_one(step: &mut Step<'_>, name: &DocumentName) {
    match name {
        DocumentName::Playbook(team, playbook) => {
            if let Some(team) = step.state.teams.get_mut(team) {
                team.playbooks.remove(playbook);
            }
        }
        DocumentName::Worker(id) => remove_worker(step, id),
        DocumentName::Team(name) => {
            let Some(team) = step.state.teams.get(name) else {
                return;
            };
            for worker in team.workers.clone() {
                remove_worker(
                    step,
                    &WorkerId {
                        team: name.clone(),
                        name: worker,
                    },
                );
            }
            if let Some(team) = step.state.teams.remove(name)
                && let Some((at, _)) = team.placed
                && let Some(node) = step.state.nodes.get_mut(&at)
            {
                node.butlers = node.butlers.saturating_sub(1);
            }
            step.touched.insert(Subject::Team(name.clone()));
        }
    }
}

fn remove_worker(step: &mut Step<'_>, id: &WorkerId) {
    replace_worker::interrupt(step, id, "the worker was removed");
    sleep_and_leave(step, id);
    step.state.workers.remove(id);
    if let Some(team) = step.state.teams.get_mut(&id.team) {
        team.workers.remove(&id.name);
    }
    step.touched.insert(Subject::Worker(id.clone()));
}
