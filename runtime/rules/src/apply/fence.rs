//! Who may ask a command at all, and whether they are still who they were: terms and epochs.
//!
//! # Why
//! A persona that was replaced may not know it yet. What it says carries the number of its
//! incarnation, and here, in the order of the ledger, is the one place that compares it.

use crate::attempt::Attempt;
use crate::case::Case;
use crate::command::Who;
use crate::id::{AttemptId, CaseId, NodeId, TeamName};
use crate::limits;
use crate::step::Step;
use crate::verdict::Rejection;

type Allowed<T> = Result<T, Rejection>;

fn not_yours<T>(whose: impl Into<String>) -> Allowed<T> {
    Err(Rejection::NotYours {
        whose: whose.into(),
    })
}

/// A human speaking for themself, or a persona on a human's behalf.
pub(super) fn human(step: &Step<'_>) -> Allowed<()> {
    match (&step.principal.who, &step.principal.on_behalf_of) {
        (Who::Human(_), None) => Ok(()),
        (Who::Manager { .. }, Some(_)) => manager(step),
        (Who::Butler { team, .. }, Some(_)) => butler(step, team),
        (
            Who::Human(_)
            | Who::Node(_)
            | Who::Ledger
            | Who::Manager { .. }
            | Who::Butler { .. }
            | Who::Worker { .. },
            _,
        ) => not_yours("a human"),
    }
}

/// Whoever may give a case its team: a human, or the Manager.
pub(super) fn router(step: &Step<'_>) -> Allowed<()> {
    match &step.principal.who {
        Who::Human(_) => human(step),
        Who::Manager { .. }
        | Who::Node(_)
        | Who::Ledger
        | Who::Butler { .. }
        | Who::Worker { .. } => manager(step),
    }
}

/// The Manager of the term in which the entry stands.
pub(super) fn manager(step: &Step<'_>) -> Allowed<()> {
    match &step.principal.who {
        Who::Manager { term } if *term == step.term => Ok(()),
        Who::Manager { term } => Err(Rejection::Stale {
            what: format!("the Manager of term {term} speaks in term {}", step.term),
        }),
        Who::Human(_) | Who::Node(_) | Who::Ledger | Who::Butler { .. } | Who::Worker { .. } => {
            not_yours("the Manager")
        }
    }
}

/// The butler of `team` in its present epoch.
pub(super) fn butler(step: &Step<'_>, team: &TeamName) -> Allowed<()> {
    let Some(found) = step.state.teams.get(team) else {
        return Err(Rejection::NoTeam(team.clone()));
    };
    match &step.principal.who {
        Who::Butler {
            team: speaks,
            epoch,
        } if speaks == team => {
            if *epoch == found.epoch {
                return Ok(());
            }
            Err(Rejection::Stale {
                what: format!(
                    "the butler of {team} is at epoch {}, not {epoch}",
                    found.epoch
                ),
            })
        }
        Who::Human(_)
        | Who::Node(_)
        | Who::Ledger
        | Who::Manager { .. }
        | Who::Butler { .. }
        | Who::Worker { .. } => not_yours(format!("the butler of {team}")),
    }
}

/// The worker that an attempt was given to, in the epoch in which it was given.
pub(super) fn worker<'a>(step: &'a Step<'_>, id: AttemptId) -> Allowed<&'a Attempt> {
    let found = step
        .state
        .cases
        .get(&id.case)
        .and_then(|case| case.attempts.get(&id.number));
    let Some(attempt) = found else {
        return Err(Rejection::NoAttempt(id));
    };
    match &step.principal.who {
        Who::Worker { worker, epoch } if *worker == attempt.worker => {
            if *epoch == attempt.epoch {
                return Ok(attempt);
            }
            Err(Rejection::Stale {
                what: format!(
                    "attempt {id} belongs to epoch {}, not {epoch}",
                    attempt.epoch
                ),
            })
        }
        Who::Human(_)
        | Who::Node(_)
        | Who::Ledger
        | Who::Manager { .. }
        | Who::Butler { .. }
        | Who::Worker { .. } => not_yours(format!("worker {}", attempt.worker)),
    }
}

/// The node itself.
pub(super) fn node(step: &Step<'_>, node: NodeId) -> Allowed<()> {
    if step.principal.who == Who::Node(node) {
        return Ok(());
    }
    not_yours(format!("node {node}"))
}

/// Any node of the cluster.
pub(super) fn any_node(step: &Step<'_>) -> Allowed<()> {
    match &step.principal.who {
        Who::Node(node) if step.state.nodes.contains_key(node) => Ok(()),
        Who::Node(node) => Err(Rejection::NoNode(*node)),
        Who::Human(_)
        | Who::Ledger
        | Who::Manager { .. }
        | Who::Butler { .. }
        | Who::Worker { .. } => not_yours("a node"),
    }
}

/// The ledger's leader.
pub(super) fn ledger(step: &Step<'_>) -> Allowed<()> {
    if step.principal.who == Who::Ledger {
        Ok(())
    } else {
        not_yours("the ledger")
    }
}

/// An open case.
pub(super) fn case<'a>(step: &'a Step<'_>, id: CaseId) -> Allowed<&'a Case> {
    step.state.cases.get(&id).ok_or(Rejection::NoCase(id))
}

/// An open case that has something left to do but its report.
pub(super) fn unfinished<'a>(step: &'a Step<'_>, id: CaseId) -> Allowed<&'a Case> {
    let case = case(step, id)?;
    if case.ending.is_some() {
        return Err(Rejection::WrongState {
            what: format!("case {id}"),
            is: "over but for its report".to_owned(),
        });
    }
    Ok(case)
}

/// A case whose butler saw its present generation.
pub(super) fn of_generation<'a>(
    step: &'a Step<'_>,
    id: CaseId,
    generation: u32,
) -> Allowed<&'a Case> {
    let case = case(step, id)?;
    match &case.team {
        Some(team) => butler(step, team)?,
        None => manager(step)?,
    }
    if case.generation != generation {
        return Err(Rejection::Stale {
            what: format!(
                "case {id} is at generation {}, not {generation}",
                case.generation
            ),
        });
    }
    Ok(case)
}

/// Whether a path can be made below a folder as it stands: relative, without tricks, not too long.
pub(super) fn is_plain_path(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= limits::MAX_LINE_BYTES
        && !path.contains('\0')
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
}

/// A line for people within its limit.
pub(super) fn line(name: &str, text: &str) -> Allowed<()> {
    if text.len() > limits::MAX_LINE_BYTES {
        return Err(Rejection::Limit {
            limit: format!("max_line_bytes ({name})"),
            max: limits::MAX_LINE_BYTES as u64,
        });
    }
    Ok(())
}
