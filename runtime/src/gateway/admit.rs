//! Whether an attempt may ask at this moment, by the state as it is applied here.
//!
//! # Why
//! This is an early no, not the fence: an intent is refused by `apply` itself, in the ledger's
//! order. For what only reads there is no later fence, and none is needed.

use rules::State;
use rules::attempt::{Attempt, AttemptStatus};
use rules::id::{AttemptId, NodeId, TargetName};
use rules::target::{Class, Target};

use super::refusal::{Code, Refusal};
use crate::workshop::Bench;

/// Whose socket it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The container.
    pub bench: Bench,
    /// The attempt in it.
    pub attempt: AttemptId,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub(super) struct Admitted {
    pub(super) target: Target,
    pub(super) class: Class,
    /// Whether the ledger was told that the agent runs.
    pub(super) is_told: bool,
}

/// Whether the attempt is still the one that does its stage, on this node.
pub(super) fn current<'a>(
    state: &'a State,
    node: NodeId,
    pass: &Pass,
) -> Result<&'a Attempt, Refusal> {
    let id = pass.attempt;
    let refuse = |why: String| Err(Refusal::new(Code::NotCurrent, why));
    let Some(case) = state.cases.get(&id.case) else {
        return refuse(format!("case {} is closed", id.case));
    };
    let Some(attempt) = case.attempts.get(&id.number) else {
        return refuse(format!("there is no attempt {id}"));
    };
    if !attempt.status.is_live() {
        return refuse(format!("attempt {id} is {}", over(attempt.status)));
    }
    let bench = &pass.bench;
    let is_its_own = attempt.worker == bench.worker
        && attempt.epoch == bench.epoch
        && state.keeps_container(node, &bench.worker, bench.epoch);
    if !is_its_own {
        return refuse(format!("worker {} has another container now", bench.worker));
    }
    Ok(attempt)
}

/// Whether it may ask this of the target.
pub(super) fn admit(
    state: &State,
    node: NodeId,
    pass: &Pass,
    name: &TargetName,
    method: &str,
) -> Result<Admitted, Refusal> {
    let attempt = current(state, node, pass)?;
    let Some(target) = state.targets.get(name) else {
        return Err(Refusal::new(
            Code::NoTarget,
            format!("there is no target {name}"),
        ));
    };
    let team = &pass.bench.worker.team;
    if !target.teams.contains(team) {
        let why = format!("target {name} is not for team {team}");
        return Err(Refusal::new(Code::NotAllowed, why));
    }
    Ok(Admitted {
        target: target.clone(),
        class: target.class(method),
        is_told: attempt.status == AttemptStatus::Running,
    })
}

/// How an attempt ended, in a word.
fn over(status: AttemptStatus) -> &'static str {
    match status {
        AttemptStatus::Assigned | AttemptStatus::Preparing | AttemptStatus::Running => "live",
        AttemptStatus::Finished => "finished",
        AttemptStatus::Lost => "lost",
        AttemptStatus::Superseded => "superseded",
        AttemptStatus::Cancelled => "cancelled",
    }
}
