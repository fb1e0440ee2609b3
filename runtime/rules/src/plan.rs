//! Whether stages make a plan: a directed acyclic graph within the limits, that the team can carry out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::case::PLANNING;
use crate::id::{PlaybookName, StageName, WorkerId, check_word};
use crate::limits;
use crate::stage::{Need, StageSpec};
use crate::state::State;
use crate::team::Team;
use crate::worker::Worker;

/// Where a plan's stages come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Plan {
    /// The playbook of that name.
    Playbook(PlaybookName),
    /// The butler's own agent.
    Agent(Vec<StageSpec>),
}

/// Everything that is wrong with `stages` as a plan, in words; nothing is wrong when it is empty.
pub fn faults(stages: &[StageSpec]) -> Vec<String> {
    let mut faults = Vec::new();
    if stages.is_empty() {
        faults.push("a plan needs at least one stage".to_owned());
    }
    if stages.len() > limits::MAX_STAGES {
        faults.push(format!("a plan has at most {} stages", limits::MAX_STAGES));
        return faults;
    }
    let mut names = BTreeSet::new();
    for stage in stages {
        if !names.insert(&stage.name) {
            faults.push(format!("stage {} stands twice", stage.name));
        }
        faults.extend(stage_faults(stage));
    }
    for stage in stages {
        for needed in &stage.after {
            if !names.contains(needed) {
                faults.push(format!(
                    "stage {} comes after {needed}, which is not there",
                    stage.name
                ));
            }
        }
    }
    if faults.is_empty()
        && let Some(stuck) = circle(stages)
    {
        faults.push(format!("stages wait for each other in a circle: {stuck}"));
    }
    faults.truncate(limits::MAX_REASONS);
    faults
}

fn stage_faults(stage: &StageSpec) -> Vec<String> {
    let mut faults = Vec::new();
    let name = &stage.name;
    if let Err(bad) = check_word(name.as_str()) {
        faults.push(bad.to_string());
    }
    if name.as_str() == PLANNING {
        faults.push(format!(
            "stage name {PLANNING} is taken by the planning itself"
        ));
    }
    if stage.need == Need::Butler {
        faults.push(format!(
            "stage {name} asks for the butler, who plans and takes no other stage"
        ));
    }
    if !(1..=limits::MAX_ATTEMPTS).contains(&stage.attempts) {
        faults.push(format!(
            "stage {name} has 1 to {} attempts",
            limits::MAX_ATTEMPTS
        ));
    }
    let is_in_bounds = |limit_ms| (1..=limits::MAX_STAGE_LIMIT_MS).contains(&limit_ms);
    if !stage.limit_ms.is_none_or(is_in_bounds) {
        faults.push(format!("stage {name} has a time limit of up to 7 days"));
    }
    if stage.title.len() > limits::MAX_LINE_BYTES {
        faults.push(format!(
            "stage {name} has a title over {} bytes",
            limits::MAX_LINE_BYTES
        ));
    }
    if stage.brief.len() > limits::MAX_INLINE_BYTES {
        faults.push(format!(
            "stage {name} has a brief over {} bytes",
            limits::MAX_INLINE_BYTES
        ));
    }
    faults
}

/// The stages that can never begin, where there are such.
fn circle(stages: &[StageSpec]) -> Option<String> {
    let mut open: BTreeMap<&StageName, BTreeSet<&StageName>> = stages
        .iter()
        .map(|stage| (&stage.name, stage.after.iter().collect()))
        .collect();
    loop {
        let ready: BTreeSet<&StageName> = open
            .iter()
            .filter(|(_, after)| after.is_empty())
            .map(|(name, _)| *name)
            .collect();
        if ready.is_empty() {
            break;
        }
        open.retain(|name, _| !ready.contains(name));
        for after in open.values_mut() {
            after.retain(|name| !ready.contains(name));
        }
    }
    if open.is_empty() {
        return None;
    }
    Some(
        open.keys()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    )
}

/// What the team lacks to carry the stages out, in words.
pub fn lacks(state: &State, team: &Team, stages: &[StageSpec]) -> Vec<String> {
    let mut lacks: Vec<String> = stages
        .iter()
        .filter(|stage| !members(state, team).any(|worker| worker.can(&stage.need)))
        .filter(|stage| stage.need != Need::Butler)
        .map(|stage| format!("stage {}: {}", stage.name, nobody(team, &stage.need)))
        .collect();
    lacks.truncate(limits::MAX_REASONS);
    lacks
}

/// That nobody in the team can do what is needed, in words.
pub(crate) fn nobody(team: &Team, need: &Need) -> String {
    let name = &team.spec.name;
    match need {
        Need::Skill(skill) => format!("no worker of team {name} has the skill {skill}"),
        Need::Worker(worker) => format!("team {name} has no worker {worker}"),
        Need::Butler => format!("the butler of team {name} has no agent that could plan"),
    }
}

/// The workers of a team, the butler's own slot included.
pub(crate) fn members<'a>(state: &'a State, team: &'a Team) -> impl Iterator<Item = &'a Worker> {
    team.workers.iter().filter_map(|name| {
        let id = WorkerId {
            team: team.spec.name.clone(),
            name: name.clone(),
        };
        state.workers.get(&id)
    })
}
