//! A human takes a stage over and answers it: the answer is its one accepted result.

use crate::attempt::{Artifact, StageResult};
use crate::blobs;
use crate::history::Happened;
use crate::id::{CaseId, StageName};
use crate::limits;
use crate::stage::{Approval, Need, Stage, StageStatus};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::{fence, open_case};

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
    answerable(id, stage)?;
    let named = blobs::of_one_result(result);
    let bytes = open_case::affordable(step.state, case.team.as_ref(), Some(case), named)?;
    let live = stage.attempt;
    let Some(mut case) = step.state.cases.remove(&id) else {
        return Err(Rejection::NoCase(id));
    };
    open_case::charge(step, &mut case, bytes);
    if let Some(number) = live {
        let reason = "a human answered the stage";
        // The stage has its result by this very entry, so nothing of it is repeated.
        step.take_back(&mut case, number, reason);
        if let Some(stage) = case.stage_mut(name) {
            stage.again(reason);
        }
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

/// A human answers what is not over; plans are the butler's, and no answer goes around an approval.
fn answerable(id: CaseId, stage: &Stage) -> Result<(), Rejection> {
    let name = &stage.spec.name;
    let is_approved = matches!(stage.approval, Approval::Given { .. });
    let is = if stage.spec.need == Need::Butler {
        "the butler's alone: amend the case to have it planned anew"
    } else if stage.status == StageStatus::Parked {
        "parked: settle its effects first"
    } else if stage.status.is_final() {
        "over already"
    } else if stage.spec.approval.is_some() && !is_approved {
        "not approved: it can be answered once it is"
    } else {
        return Ok(());
    };
    let what = format!("stage {name} of {id}");
    let is = is.to_owned();
    Err(Rejection::WrongState { what, is })
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
    let strange = |artifact: &&Artifact| !fence::is_plain_path(&artifact.name);
    if let Some(artifact) = result.artifacts.iter().find(strange) {
        let name: String = artifact.name.chars().take(limits::MAX_NAME_BYTES).collect();
        return Err(Rejection::Invalid(vec![format!(
            "artifact {name:?} has no plain relative path"
        )]));
    }
    Ok(())
}
