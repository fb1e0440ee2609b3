//! Whether what would be is whole: every reference finds its other end, every limit is kept.
//!
//! # Invariant
//! Costs what the documents cost, whatever else the cluster holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{TeamName, WorkerId, check_word};
use crate::limits;
use crate::plan;
use crate::state::State;
use crate::team::{AgentSpec, Document, DocumentName, PlaybookSpec, TeamSpec, WorkerSpec};
use crate::verdict::{Rejection, over};

use super::super::fence;
use super::present;

/// What would be: the state with some documents put into it and others taken away.
struct Whole<'a> {
    state: &'a State,
    put: BTreeMap<DocumentName, &'a Document>,
    remove: BTreeSet<&'a DocumentName>,
}

/// Everything that is wrong with the documents, in words.
pub(super) fn faults(
    state: &State,
    put: &[Document],
    remove: &[DocumentName],
) -> Result<Vec<String>, Rejection> {
    let mut faults = Vec::new();
    let mut whole = Whole {
        state,
        put: BTreeMap::new(),
        remove: BTreeSet::new(),
    };
    for document in put {
        let name = document.name();
        faults.extend(name_faults(&name));
        if whole.put.insert(name, document).is_some() {
            faults.push(format!("{} stands twice", document.name()));
        }
    }
    for name in remove {
        if present(state, name).is_none() {
            return Err(Rejection::NoDocument(name.clone()));
        }
        if whole.put.contains_key(name) || !whole.remove.insert(name) {
            faults.push(format!("{name} stands twice"));
        }
    }
    for name in remove {
        faults.extend(whole.farewell_faults(name)?);
    }
    whole.room()?;
    for document in put {
        let name = document.name();
        let found = match document {
            Document::Team(spec) => whole.team_faults(spec),
            Document::Worker(spec) => whole.worker_faults(spec),
            Document::Playbook(spec) => whole.playbook_faults(spec),
        };
        faults.extend(found.into_iter().map(|why| format!("{name}: {why}")));
    }
    Ok(faults)
}

fn name_faults(name: &DocumentName) -> Vec<String> {
    let words: Vec<&str> = match name {
        DocumentName::Team(team) => vec![team.as_str()],
        DocumentName::Worker(id) => vec![id.team.as_str(), id.name.as_str()],
        DocumentName::Playbook(team, name) => vec![team.as_str(), name.as_str()],
    };
    let bad = words.into_iter().filter_map(|word| check_word(word).err());
    bad.map(|bad| bad.to_string()).collect()
}

impl Whole<'_> {
    fn will_be(&self, name: &DocumentName) -> bool {
        self.put.contains_key(name)
            || (!self.remove.contains(name) && present(self.state, name).is_some())
    }

    fn has_team(&self, team: &TeamName) -> bool {
        self.will_be(&DocumentName::Team(team.clone()))
    }

    /// A team goes only when nobody waits for it, a playbook only when its team does not lean on it.
    fn farewell_faults(&self, name: &DocumentName) -> Result<Option<String>, Rejection> {
        match name {
            DocumentName::Worker(_) => Ok(None),
            DocumentName::Team(team) => {
                let open = self
                    .state
                    .teams
                    .get(team)
                    .map_or(0, |team| team.cases.len());
                if open == 0 {
                    return Ok(None);
                }
                Err(Rejection::WrongState {
                    what: format!("team {team}"),
                    is: format!("at work on {open} open cases; cancel them or let them end"),
                })
            }
            DocumentName::Playbook(team, playbook) => {
                let its_team = DocumentName::Team(team.clone());
                let stays = !self.remove.contains(&its_team) && !self.put.contains_key(&its_team);
                let found = self.state.teams.get(team);
                let leans = found.is_some_and(|team| team.spec.playbook.as_ref() == Some(playbook));
                Ok((stays && leans)
                    .then(|| format!("{name} is the team's own choice; choose another first")))
            }
        }
    }

    /// Whether all that is new has room.
    fn room(&self) -> Result<(), Rejection> {
        let (mut teams, mut workers) = (self.state.teams.len(), self.state.workers.len());
        let mut members: BTreeMap<&TeamName, usize> = BTreeMap::new();
        let mut playbooks: BTreeMap<&TeamName, usize> = BTreeMap::new();
        for (name, document) in &self.put {
            let is_new = present(self.state, name).is_none();
            match document {
                Document::Team(spec) => {
                    let before = self.state.teams.get(&spec.name);
                    let has_slot = before.is_some_and(|team| team.spec.agent.is_some());
                    teams += usize::from(is_new);
                    if spec.agent.is_some() && !has_slot {
                        workers += 1;
                        *members.entry(&spec.name).or_default() += 1;
                    }
                }
                Document::Worker(spec) => {
                    workers += usize::from(is_new);
                    *members.entry(&spec.id.team).or_default() += usize::from(is_new);
                }
                Document::Playbook(spec) => {
                    *playbooks.entry(&spec.team).or_default() += usize::from(is_new);
                }
            }
        }
        // What goes makes room only for what comes into the same team: cheap to tell, never too much.
        let goes = |team: &TeamName, of: fn(&DocumentName) -> Option<&TeamName>| {
            self.remove
                .iter()
                .filter(|name| of(name) == Some(team))
                .count()
        };
        for (team, count) in members {
            let has = self
                .state
                .teams
                .get(team)
                .map_or(0, |team| team.workers.len());
            if has + count > limits::MAX_WORKERS_PER_TEAM + goes(team, of_worker) {
                return Err(over("max_workers_per_team", limits::MAX_WORKERS_PER_TEAM));
            }
        }
        for (team, count) in playbooks {
            let has = self
                .state
                .teams
                .get(team)
                .map_or(0, |team| team.playbooks.len());
            if has + count > limits::MAX_PLAYBOOKS + goes(team, of_playbook) {
                return Err(over("max_playbooks", limits::MAX_PLAYBOOKS));
            }
        }
        if teams > limits::MAX_TEAMS {
            return Err(over("max_teams", limits::MAX_TEAMS));
        }
        if workers > limits::MAX_WORKERS {
            return Err(over("max_workers", limits::MAX_WORKERS));
        }
        Ok(())
    }

    fn team_faults(&self, spec: &TeamSpec) -> Vec<String> {
        let mut faults = line_faults("title", &spec.title);
        if let Some(playbook) = &spec.playbook
            && !self.will_be(&DocumentName::Playbook(spec.name.clone(), playbook.clone()))
        {
            faults.push(format!("there is no playbook {playbook} of that team"));
        }
        if let Err(bad) = check_word(spec.butler.as_str()) {
            faults.push(bad.to_string());
        }
        let slot = WorkerId {
            team: spec.name.clone(),
            name: spec.butler.clone(),
        };
        if self.will_be(&DocumentName::Worker(slot)) {
            faults.push(format!(
                "the butler's name {} is a worker's too",
                spec.butler
            ));
        }
        faults.extend(spec.agent.iter().flat_map(agent_faults));
        faults
    }

    fn worker_faults(&self, spec: &WorkerSpec) -> Vec<String> {
        let mut faults = line_faults("title", &spec.title);
        let team = &spec.id.team;
        if !self.has_team(team) {
            faults.push(format!("there is no team {team}"));
        }
        // Where the team is described along, its own check says so.
        let is_put = self.put.contains_key(&DocumentName::Team(team.clone()));
        let found = self.state.teams.get(team);
        if !is_put && found.is_some_and(|team| team.spec.butler == spec.id.name) {
            faults.push("that is the name of the team's butler".to_owned());
        }
        if !(1..=limits::MAX_PARALLEL).contains(&spec.parallel) {
            faults.push(format!("parallel is 1 to {}", limits::MAX_PARALLEL));
        }
        faults.extend(agent_faults(&spec.agent));
        faults
    }

    fn playbook_faults(&self, spec: &PlaybookSpec) -> Vec<String> {
        let mut faults = line_faults("title", &spec.title);
        if !self.has_team(&spec.team) {
            faults.push(format!("there is no team {}", spec.team));
        }
        faults.extend(plan::faults(&spec.stages));
        faults
    }
}

fn of_worker(name: &DocumentName) -> Option<&TeamName> {
    match name {
        DocumentName::Worker(id) => Some(&id.team),
        DocumentName::Playbook(..) | DocumentName::Team(_) => None,
    }
}

fn of_playbook(name: &DocumentName) -> Option<&TeamName> {
    match name {
        DocumentName::Playbook(team, _) => Some(team),
        DocumentName::Worker(_) | DocumentName::Team(_) => None,
    }
}

fn line_faults(name: &str, line: &str) -> Vec<String> {
    let is_over = line.len() > limits::MAX_LINE_BYTES;
    let fault = || format!("its {name} is over {} bytes", limits::MAX_LINE_BYTES);
    is_over.then(fault).into_iter().collect()
}

fn agent_faults(agent: &AgentSpec) -> Vec<String> {
    let mut faults = Vec::new();
    if agent.command.is_empty() {
        faults.push("its agent has no command".to_owned());
    }
    if agent.skills.len() > limits::MAX_SKILLS {
        faults.push(format!(
            "an agent has at most {} skills",
            limits::MAX_SKILLS
        ));
    }
    for (skill, files) in &agent.skills {
        // Skills become folders, and their files files in them.
        if let Err(bad) = check_word(skill.as_str()) {
            faults.push(bad.to_string());
        }
        let strange = files.iter().find(|file| !fence::is_plain_path(&file.path));
        if let Some(file) = strange {
            let path: String = file.path.chars().take(limits::MAX_NAME_BYTES).collect();
            faults.push(format!(
                "skill {skill} has a file without a plain relative path: {path:?}"
            ));
        }
    }
    let takes = &agent.limits;
    let limited = [
        ("cpu", takes.cpu_milli, limits::MAX_AGENT_CPU_MILLI),
        ("memory", takes.memory_bytes, limits::MAX_AGENT_MEMORY_BYTES),
        ("pids", takes.pids, limits::MAX_AGENT_PIDS),
        ("output", takes.output_bytes, limits::MAX_AGENT_OUTPUT_BYTES),
        ("wall", takes.wall_ms, limits::MAX_STAGE_LIMIT_MS),
    ];
    for (name, value, max) in limited {
        if !(1..=max).contains(&value) {
            faults.push(format!(
                "its agent's limit of {name} is {value}, not 1 to {max}"
            ));
        }
    }
    faults
}
