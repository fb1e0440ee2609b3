//! A human takes a stage over and answers it: the answer is its one accepted result.

use crate::attempt::StageResult;
use crate::history::Happened;
use crate::id::{CaseId, StageName};
use crate::limits;
use crate::stage::StageStatus;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(
    step: &mut Step<'_>,
    id: CaseId,
    name: &StageName,
    result: &StageResult,
) -> Verdict {
    fence::human(step)?;
    checked(result)?;
    let case = fence::unfinished(step, id)?;
    let stage = case
        .stage(name)
        .ok_or_else(|| Rejection::NoStage(id, name.clone()))?;
    if stage.status.is_final() {
        let (what, is) = (format!("stage {name} of {id}"), "over already".to_owned());
        return Err(Rejection::WrongState { what, is });
    }
    let live = stage.attempt;
    let Some(mut case) = step.state.cases.remove(&id) else {
        return Err(Rejection::NoCase(id));
    };
    if let Some(number) = live {
        step.supersede(&mut case, number, "a human answered the stage");
    }
    step.unqueue(&case, name);
    accept(&mut case, name, result);
    step.note(
        &mut case,
        Happened::Answered(name.clone(), result.summary.clone()),
    );
    step.state.cases.insert(id, case);
    step.unsettled.insert(id);
    Ok(Outcome::Done)
}

/// Gives a stage its one accepted result.
pub(super) fn accept(case: &mut crate::case::Case, name: &StageName, result: &StageResult) {
    if let Some(stage) = case.stage_mut(name) {
        debug_assert!(stage.result.is_none(), "a stage has one accepted result");
        stage.status = StageStatus::Done;
        stage.attempt = None;
        stage.reason = None;
        stage.result = Some(result.clone());
    }
}

/// A result within its limits.
pub(super) fn checked(result: &StageResult) -> Result<(), Rejection> {
    if result.summary.len() > limits::MAX_SUMMARY_BYTES {
        return Err(over("max_summary_bytes", limits::MAX_SUMMARY_BYTES));
    }
    if !result.document.fits() {
        return Err(over("max_inline_bytes (result)", limits::MAX_INLINE_BYTES));
    }
    if result.artifacts.len() > limits::MAX_ARTIFACTS {
        return Err(over("max_artifacts", limits::MAX_ARTIFACTS));
    }
    if result
        .artifacts
        .iter()
        .any(|artifact| artifact.name.len() > limits::MAX_LINE_BYTES)
    {
        return Err(over("max_line_bytes (artifact)", limits::MAX_LINE_BYTES));
    }
    Ok(())
}
