//! A human refuses to let a stage begin: it fails.

use crate::history::Happened;
use crate::id::{CaseId, StageName};
use crate::stage::StageStatus;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::{approve_stage, fence};

pub(super) fn apply(step: &mut Step<'_>, id: CaseId, name: &StageName, reason: &str) -> Verdict {
    fence::human(step)?;
    fence::line("reason", reason)?;
    approve_stage::asked(fence::unfinished(step, id)?, name)?;
    let by = step.principal.to_string();
    let case = step.state.cases.get_mut(&id).ok_or(Rejection::NoCase(id))?;
    if let Some(stage) = case.stage_mut(name) {
        let why = match reason {
            "" => format!("{by} did not approve it"),
            reason => format!("{by} did not approve it: {reason}"),
        };
        stage.end(StageStatus::Failed, &why);
    }
    step.note_in(id, Happened::Rejected(name.clone(), reason.to_owned()));
    Ok(Outcome::Done)
}
