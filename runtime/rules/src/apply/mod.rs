//! The one way in which the state changes: an entry, applied.
//!
//! # Invariant
//! A rejected entry changes nothing but the clock, the memory of requests and the record of what was
//! asked.
//! Nothing is done without a decision that allows it, taken on people and policies as they are.

mod admit_node;
mod advance_attempt;
mod amend_case;
mod answer_stage;
mod apply_documents;
mod approve_stage;
mod begin_again;
mod begin_chaos;
mod begin_effect;
mod cancel_case;
mod chaos;
mod drain_node;
mod end_chaos;
mod end_effect;
mod erase_case;
mod fence;
mod finish_attempt;
mod join_node;
mod judge_node;
mod lose_attempt;
mod mark_read;
mod mint_human_token;
mod mint_token;
mod note_deed;
mod open_case;
mod pause_case;
mod place;
mod plan_case;
mod post_message;
mod put_humans;
mod put_policy;
mod put_target;
mod raise_version;
mod record_denials;
mod refuse_plan;
mod reject_stage;
mod remove_human;
mod remove_node;
mod remove_policy;
mod remove_target;
mod replace_worker;
mod report_case;
mod resume_case;
mod revoke_human_token;
mod revoke_token;
mod ring;
mod route_case;
mod set_human_role;
mod set_role;
mod settle_effect;
mod tell_chaos;
mod tell_way_out;

use std::collections::BTreeSet;

use crate::audit::{self, Manner, Recorded};
use crate::case::Case;
use crate::command::{Command, Entry, Proposal};
use crate::demand;
use crate::duty::Subject;
use crate::id::CaseId;
use crate::limits;
use crate::request::Recall;
use crate::room::Shelved;
use crate::state::State;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};
use crate::version;

pub use apply_documents::{Change, check, difference};
pub(crate) use open_case::taken_by as may_take;
pub use put_humans::check as check_humans;

/// What came of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The answer to whoever asked.
    pub verdict: Verdict,
    /// What duties may have changed about.
    pub touched: BTreeSet<Subject>,
    /// Cases that left the state, for the archive.
    pub closed: Vec<Case>,
    /// Posts that left it, likewise.
    pub shelved: Vec<Shelved>,
    /// Its record; none for a tick that rang nothing.
    pub recorded: Option<Recorded>,
}

/// Applies the entry that comes next, and makes its record.
pub fn apply(state: &mut State, entry: &Entry) -> Applied {
    let canon = audit::read(state, &entry.proposal);
    let (mut applied, manner) = change(state, entry);
    applied.recorded = audit::add(&mut state.audit, entry, canon, &applied.verdict, manner);
    applied
}

/// Whether it is the answer to every repetition. Where the leader decides anew, or where a persona has
/// only to wait until it may speak again, nothing was said of the command.
fn is_lasting(state: &State, verdict: &Verdict) -> bool {
    match verdict {
        Err(Rejection::Outdated | Rejection::Undecided) => false,
        Err(rejection) => state.version < version::PEOPLE || !rejection.is_of_pace(),
        Ok(_) => true,
    }
}

fn change(state: &mut State, entry: &Entry) -> (Applied, Manner) {
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
    let manner = Manner {
        is_repeated: matches!(recalled, Some(Recall::Answered(_))),
        rang: state.ticks_wanted().is_some_and(|due| due <= state.clock),
    };
    let mut step = Step::new(state, entry);
    let verdict = match recalled {
        None => decide(&mut step, &entry.proposal),
        Some(Recall::Answered(verdict)) => verdict,
        Some(Recall::Reused) => Err(Rejection::RequestReused),
        Some(Recall::Expired) => Err(Rejection::Expired),
        Some(Recall::New) => {
            let verdict = decide(&mut step, &entry.proposal);
            if is_lasting(step.state, &verdict) {
                remember(&mut step, entry, &verdict);
            }
            verdict
        }
    };
    step.follow();
    step.ring_alarms();
    step.follow();
    let now = step.state.clock;
    step.state.requests.forget(now);
    let applied = Applied {
        verdict,
        touched: step.touched,
        closed: step.closed,
        shelved: step.shelved,
        recorded: None,
    };
    (applied, manner)
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

/// What is done about a command: one line for each, and none of them is missing.
macro_rules! table {
    ($step:ident, $command:ident:
        $($variant:ident { $($field:ident),* } => $file:ident($($argument:expr),*);)*
    ) => {
        match $command {
            $(Command::$variant { $($field),* } => $file::apply($step, $($argument),*),)*
            Command::OpenCase { .. } => open_case::apply($step, $command),
            Command::NoteDeed { node, .. } => note_deed::apply($step, *node),
            Command::PostMessage { .. } => post_message::apply($step, $command),
            Command::Chaos(wish) => chaos::apply($step, wish),
            Command::Tick => fence::ledger($step).map(|()| Outcome::Done),
        }
    };
}

fn decide(step: &mut Step<'_>, proposal: &Proposal) -> Verdict {
    demand::check(step.state, proposal)?;
    let command = &proposal.command;
    version::check(step.state, command)?;
    table! { step, command:
        ApplyDocuments { put, remove } => apply_documents(put, remove);
        CancelCase { case, reason } => cancel_case(*case, reason);
        PauseCase { case, reason } => pause_case(*case, reason);
        ResumeCase { case } => resume_case(*case);
        AmendCase { case, brief, attachments } => amend_case(*case, brief, attachments);
        AnswerStage { case, stage, result } => answer_stage(*case, stage, result);
        ApproveStage { case, stage, note } => approve_stage(*case, stage, note);
        RejectStage { case, stage, reason } => reject_stage(*case, stage, reason);
        ReplaceWorker { worker, reason } => replace_worker(worker, reason);
        JoinNode { facts } => join_node(facts);
        Place { placements } => place(placements);
        RouteCase { case, team, reason } => route_case(*case, team, reason);
        PlanCase { case, generation, plan } => plan_case(*case, *generation, plan);
        RefusePlan { case, generation, reasons } => refuse_plan(*case, *generation, reasons);
        AdvanceAttempt { attempt, to } => advance_attempt(*attempt, *to);
        FinishAttempt { attempt, outcome } => finish_attempt(*attempt, outcome);
        LoseAttempt { attempt, reason } => lose_attempt(*attempt, reason);
        ReportCase { case, generation, report } => report_case(*case, *generation, report);
        MintToken { token, hash, valid_ms } => mint_token(token, hash, *valid_ms);
        RevokeToken { token } => revoke_token(token);
        AdmitNode { hash, name, key } => admit_node(hash, name, key);
        JudgeNode { node, incarnation, health, reason } =>
            judge_node(*node, *incarnation, *health, reason);
        DrainNode { node, is_drained, reason } => drain_node(*node, *is_drained, reason);
        RemoveNode { node, is_forced } => remove_node(*node, *is_forced);
        SetRole { node, role } => set_role(*node, *role);
        PutTarget { target } => put_target(target);
        RemoveTarget { target } => remove_target(target);
        BeginEffect { attempt, intent } => begin_effect(*attempt, intent);
        EndEffect { attempt, key, outcome } => end_effect(*attempt, key, outcome);
        SettleEffect { case, stage, key, was_done, reason } =>
            settle_effect(*case, stage, key, *was_done, reason);
        PutHumans { put, piece } => put_humans(put, piece.as_ref());
        RemoveHuman { human } => remove_human(human);
        SetHumanRole { human, change } => set_human_role(human, change);
        MintHumanToken { human, token, hash, valid_ms, team } =>
            mint_human_token((human, token), hash, *valid_ms, team.as_ref());
        RevokeHumanToken { human, token } => revoke_human_token(human, token);
        PutPolicy { policy, text } => put_policy(policy, text);
        RemovePolicy { policy } => remove_policy(policy);
        RecordDenials { denials } => record_denials(denials);
        BeginAgain { node, name, cause, by } => begin_again(*node, name, cause, by);
        EraseCase { case, reason } => erase_case(*case, reason);
        RaiseVersion { to } => raise_version(*to);
        TellWayOut { node, incarnation, way_out } => tell_way_out(*node, *incarnation, way_out);
        MarkRead { room, up_to } => mark_read(room, *up_to);
    }
}

/// The case that a human's command speaks of: its request is remembered as long as the case.
fn spoken_of(command: &Command) -> Option<CaseId> {
    match command {
        Command::CancelCase { case, .. }
        | Command::PauseCase { case, .. }
        | Command::ResumeCase { case }
        | Command::AmendCase { case, .. }
        | Command::RouteCase { case, .. }
        | Command::AnswerStage { case, .. }
        | Command::ApproveStage { case, .. }
        | Command::RejectStage { case, .. }
        | Command::SettleEffect { case, .. }
        | Command::PostMessage {
            thread: Some(case), ..
        } => Some(*case),
        Command::ApplyDocuments { .. }
        | Command::OpenCase { .. }
        | Command::ReplaceWorker { .. }
        | Command::JoinNode { .. }
        | Command::Place { .. }
        | Command::PlanCase { .. }
        | Command::RefusePlan { .. }
        | Command::AdvanceAttempt { .. }
        | Command::FinishAttempt { .. }
        | Command::LoseAttempt { .. }
        | Command::ReportCase { .. }
        | Command::Tick
        | Command::MintToken { .. }
        | Command::RevokeToken { .. }
        | Command::AdmitNode { .. }
        | Command::JudgeNode { .. }
        | Command::DrainNode { .. }
        | Command::RemoveNode { .. }
        | Command::SetRole { .. }
        | Command::PutTarget { .. }
        | Command::RemoveTarget { .. }
        | Command::BeginEffect { .. }
        | Command::EndEffect { .. }
        | Command::PutHumans { .. }
        | Command::RemoveHuman { .. }
        | Command::SetHumanRole { .. }
        | Command::MintHumanToken { .. }
        | Command::RevokeHumanToken { .. }
        | Command::PutPolicy { .. }
        | Command::RemovePolicy { .. }
        | Command::RecordDenials { .. }
        | Command::BeginAgain { .. }
        | Command::NoteDeed { .. }
        | Command::EraseCase { .. }
        | Command::RaiseVersion { .. }
        | Command::TellWayOut { .. }
        | Command::PostMessage { thread: None, .. }
        | Command::MarkRead { .. }
        | Command::Chaos(_) => None,
    }
}
