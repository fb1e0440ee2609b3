//! The Manager gives a case its team, or a human does where no team fits by itself.

use crate::history::Happened;
use crate::id::{CaseId, TeamName};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::{fence, open_case};

pub(super) fn apply(step: &mut Step<'_>, id: CaseId, team: &TeamName, reason: &str) -> Verdict {
    fence::router(step)?;
    fence::line("reason", reason)?;
    let case = fence::unfinished(step, id)?;
    if let Some(has) = &case.team {
        if has == team {
            return Ok(Outcome::Done);
        }
        let (what, is) = (format!("case {id}"), format!("with team {has}"));
        return Err(Rejection::WrongState { what, is });
    }
    open_case::taken_by(step.state, team, case.playbook.as_ref())?;
    let Some(mut case) = step.state.cases.remove(&id) else {
        return Err(Rejection::NoCase(id));
    };
    open_case::give(step, &mut case, team);
    step.note(&mut case, Happened::Routed(team.clone(), reason.to_owned()));
    step.state.cases.insert(id, case);
    step.unsettled.insert(id);
    Ok(Outcome::Done)
}
