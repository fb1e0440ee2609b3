//! A human lets a stage begin that waits for it.

use crate::case::Case;
use crate::history::Happened;
use crate::id::{CaseId, StageName};
use crate::stage::{Approval, StageStatus};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, id: CaseId, name: &StageName, note: &str) -> Verdict {
    fence::human(step)?;
    fence::line("note", note)?;
    asked(fence::unfinished(step, id)?, name)?;
    let by = step.principal.to_string();
    let case = step.state.cases.get_mut(&id).ok_or(Rejection::NoCase(id))?;
    if let Some(stage) = case.stage_mut(name) {
        stage.approval = Approval::Given {
            by,
            note: note.to_owned(),
        };
    }
    step.note_in(id, Happened::Approved(name.clone(), note.to_owned()));
    Ok(Outcome::Done)
}

/// Whether a stage waits for an approval.
pub(super) fn asked(case: &Case, name: &StageName) -> Result<(), Rejection> {
    let stage = case
        .stage(name)
        .ok_or_else(|| Rejection::NoStage(case.id, name.clone()))?;
    if stage.status == StageStatus::Pending && stage.approval == Approval::Asked {
        return Ok(());
    }
    let what = format!("stage {name} of {}", case.id);
    Err(Rejection::WrongState {
        what,
        is: "not waiting for an approval".to_owned(),
    })
}
