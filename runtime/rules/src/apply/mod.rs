//! The one way in which the state changes: an entry, applied.
//!
//! # Invariant
//! A rejected entry changes nothing but the clock and the memory of requests.

mod advance_attempt;
mod amend_case;
mod answer_stage;
mod apply_documents;
mod approve_stage;
mod cancel_case;
mod fence;
mod finish_attempt;
mod join_node;
mod lose_attempt;
mod open_case;
mod pause_case;
mod place;
mod plan_case;
mod refuse_plan;
mod reject_stage;
mod replace_worker;
mod report_case;
mod resume_case;
mod ring;
mod route_case;

use std::collections::BTreeSet;

use crate::case::Case;
use crate::command::{Command, Entry};
use crate::duty::Subject;
use crate::id::CaseId;
use crate::limits;
use crate::request::Recall;
use crate::state::State;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

pub use apply_documents::{Change, check, difference};
pub(crate) use open_case::taken_by as may_take;

/// What came of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The answer to whoever asked.
    pub verdict: Verdict,
    /// What duties may have changed about.
    pub touched: BTreeSet<Subject>,
    /// Cases that left the state, for the archive.
    pub closed: Vec<Case>,
}

/// Applies the entry that comes next.
pub fn apply(state: &mut State, entry: &Entry) -> Applied {
    debug_assert!(
        entry.index > state.index,
        "entries are applied in their order, once"
    );
    state.index = entry.index;
    state.clock = state.clock.plus(entry.elapsed_ms.min(limits::MAX_TICK_MS));
    let recalled = entry.proposal.request.as_ref().map(|request| {
        let now = state.clock;
        state.requests.recall(request, now)
    });
    let mut step = Step::new(state, entry);
    let verdict = match recalled {
        None => decide(&mut step, &entry.proposal.command),
        Some(Recall::Answered(verdict)) => verdict,
        Some(Recall::Reused) => Err(Rejection::RequestReused),
        Some(Recall::Expired) => Err(Rejection::Expired),
        Some(Recall::New) => {
            let verdict = decide(&mut step, &entry.proposal.command);
            remember(&mut step, entry, &verdict);
            verdict
        }
    };
    step.follow();
    step.ring_alarms();
    step.follow();
    let now = step.state.clock;
    step.state.requests.forget(now);
    Applied {
        verdict,
        touched: step.touched,
        closed: step.closed,
    }
}

fn remember(step: &mut Step<'_>, entry: &Entry, verdict: &Verdict) {
    let Some(request) = &entry.proposal.request else {
        return;
    };
    let case = match (verdict, spoken_of(&entry.proposal.command)) {
        (Ok(Outcome::Opened(case)), _) => step.state.cases.get_mut(case),
        (Ok(_), Some(case)) => step.state.cases.get_mut(&case),
        (Ok(_), None) | (Err(_), _) => None,
    };
    let until = match case {
        Some(case) if case.requests.len() < limits::MAX_CASE_REQUESTS => {
            case.requests.push(request.id.clone());
            None
        }
        Some(_) | None => Some(step.state.clock.plus(limits::REQUEST_MEMORY_MS)),
    };
    step.state
        .requests
        .remember(request, verdict.clone(), until);
}

fn decide(step: &mut Step<'_>, command: &Command) -> Verdict {
    match command {
        Command::ApplyDocuments { put, remove } => apply_documents::apply(step, put, remove),
        Command::OpenCase { .. } => open_case::apply(step, command),
        Command::CancelCase { case, reason } => cancel_case::apply(step, *case, reason),
        Command::PauseCase { case, reason } => pause_case::apply(step, *case, reason),
        Command::ResumeCase { case } => resume_case::apply(step, *case),
        Command::AmendCase {
            case,
            brief,
            attachments,
        } => amend_case::apply(step, *case, brief, attachments),
        Command::AnswerStage {
            case,
            stage,
            result,
        } => answer_stage::apply(step, *case, stage, result),
        Command::ApproveStage { case, stage, note } => {
            approve_stage::apply(step, *case, stage, note)
        }
        Command::RejectStage {
            case,
            stage,
            reason,
        } => reject_stage::apply(step, *case, stage, reason),
        Command::ReplaceWorker { worker, reason } => replace_worker::apply(step, worker, reason),
        Command::JoinNode { facts } => join_node::apply(step, facts),
        Command::Place { placements } => place::apply(step, placements),
        Command::RouteCase { case, team, reason } => route_case::apply(step, *case, team, reason),
        Command::PlanCase {
            case,
            generation,
            plan,
        } => plan_case::apply(step, *case, *generation, plan),
        Command::RefusePlan {
            case,
            generation,
            reasons,
        } => refuse_plan::apply(step, *case, *generation, reasons),
        Command::AdvanceAttempt { attempt, to } => advance_attempt::apply(step, *attempt, *to),
        Command::FinishAttempt { attempt, outcome } => {
            finish_attempt::apply(step, *attempt, outcome)
        }
        Command::LoseAttempt { attempt, reason } => lose_attempt::apply(step, *attempt, reason),
        Command::ReportCase {
            case,
            generation,
            report,
        } => report_case::apply(step, *case, *generation, report),
        Command::Tick => fence::ledger(step).map(|()| Outcome::Done),
    }
}

/// The case that a human's command speaks of: its request is remembered as long as the case.
fn spoken_of(command: &Command) -> Option<CaseId> {
    match command {
        Command::CancelCase { case, .. }
        | Command::PauseCase { case, .. }
        | Command::ResumeCase { case }
        | Command::AmendCase { case, .. }
        | Command::AnswerStage { case, .. }
        | Command::ApproveStage { case, .. }
        | Command::RejectStage { case, .. } => Some(*case),
        Command::ApplyDocuments { .. }
        | Command::OpenCase { .. }
        | Command::ReplaceWorker { .. }
        | Command::JoinNode { .. }
        | Command::Place { .. }
        | Command::RouteCase { .. }
        | Command::PlanCase { .. }
        | Command::RefusePlan { .. }
        | Command::AdvanceAttempt { .. }
        | Command::FinishAttempt { .. }
        | Command::LoseAttempt { .. }
        | Command::ReportCase { .. }
        | Command::Tick => None,
    }
}
