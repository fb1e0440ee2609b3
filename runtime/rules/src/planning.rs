//! Stage 0: how a case comes to its plan, by a playbook or by the butler's own agent.

use crate::case::{Case, PLANNING};
use crate::id::{PlaybookName, StageName};
use crate::stage::{Need, OnFailure, Stage, StageSpec};
use crate::team::Team;
use crate::verdict::Rejection;

/// How long the butler's agent may take to plan: five minutes of a model's thinking.
const PLANNING_LIMIT_MS: u64 = 300_000;
/// Attempts at planning that may fail by themselves; a plan that is sent back counts apart.
const PLANNING_ATTEMPTS: u32 = 2;

/// Whether a team can come to a plan at all.
pub(crate) fn is_possible(team: &Team, asked: Option<&PlaybookName>) -> Result<(), Rejection> {
    let name = &team.spec.name;
    match chosen(team, asked) {
        Some(playbook) if !team.playbooks.contains_key(playbook) => {
            Err(Rejection::Invalid(vec![missing(team, playbook)]))
        }
        None if team.spec.agent.is_none() => Err(Rejection::Invalid(vec![format!(
            "team {name} cannot plan: it has no playbook of its own choice and its butler no agent"
        )])),
        Some(_) | None => Ok(()),
    }
}

/// That a team has no such playbook, and which ones it has.
pub(crate) fn missing(team: &Team, playbook: &PlaybookName) -> String {
    let name = &team.spec.name;
    let has: Vec<&str> = team.playbooks.keys().map(PlaybookName::as_str).collect();
    let has = if has.is_empty() {
        "none".to_owned()
    } else {
        has.join(", ")
    };
    format!("team {name} has no playbook {playbook}; it has {has}")
}

/// Has a case planned by its team, for the first time or anew: by the playbook that was asked
/// for, else by the team's own, else by the butler's agent.
pub(crate) fn prepare(team: &Team, case: &mut Case) {
    case.playbook = chosen(team, case.playbook.as_ref()).cloned();
    let rounds = case.planning.take().map_or(0, |old| old.generation);
    if case.playbook.is_none() && team.spec.agent.is_some() {
        case.planning = stage().map(|stage| Stage {
            generation: rounds + 1,
            ..stage
        });
    }
}

fn chosen<'a>(team: &'a Team, asked: Option<&'a PlaybookName>) -> Option<&'a PlaybookName> {
    asked.or(team.spec.playbook.as_ref())
}

fn stage() -> Option<Stage> {
    Some(Stage::new(StageSpec {
        name: StageName::new(PLANNING).ok()?,
        title: "plan the case".to_owned(),
        need: Need::Butler,
        after: Vec::new(),
        limit_ms: Some(PLANNING_LIMIT_MS),
        attempts: PLANNING_ATTEMPTS,
        approval: None,
        on_failure: OnFailure::Fail,
        brief: String::new(),
    }))
}
