//! A proposal gone wrong: of another incarnation, of another generation, about something else.

use rules::command::Proposal;
use rules::{Command, Who};

use crate::wish::Pick;

/// Puts another number where there is one: an older generation, epoch, term, attempt or case.
pub fn mistake(proposal: &mut Proposal, how: Pick) {
    let shift = u32::from(how % 3);
    let principal = &mut proposal.principal.who;
    if let Who::Manager { term } = principal {
        *term = term.saturating_sub(u64::from(how % 2));
    }
    if let Who::Butler { epoch, .. } | Who::Worker { epoch, .. } = principal {
        epoch.0 = epoch.0.saturating_sub(u64::from(how % 2));
    }
    let command = &mut proposal.command;
    if let Command::PlanCase { generation, .. }
    | Command::RefusePlan { generation, .. }
    | Command::ReportCase { generation, .. } = command
    {
        *generation = generation.saturating_add(shift);
    }
    if let Command::AdvanceAttempt { attempt, .. }
    | Command::FinishAttempt { attempt, .. }
    | Command::LoseAttempt { attempt, .. } = command
    {
        attempt.number = attempt.number.saturating_add(shift);
    }
    if let Command::PauseCase { case, .. } | Command::ResumeCase { case } = command {
        case.0 = case.0.saturating_add(shift.into());
    }
}
