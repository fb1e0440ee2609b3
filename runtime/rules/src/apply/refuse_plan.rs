//! A butler sends its agent's plan back, with the reasons: it gets a bounded number of tries.

use crate::case::{Case, CaseOutcome};
use crate::history::Happened;
use crate::id::CaseId;
use crate::limits;
use crate::stage::StageStatus;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(
    step: &mut Step<'_>,
    id: CaseId,
    generation: u32,
    reasons: &[String],
) -> Verdict {
    let case = fence::of_generation(step, id, generation)?;
    fence::unfinished(step, id)?;
    let is_due = !case.is_planned
        && case
            .planning
            .as_ref()
            .is_some_and(|planning| planning.status == StageStatus::Done);
    if !is_due {
        let (what, is) = (
            format!("case {id}"),
            "without a plan to be refused".to_owned(),
        );
        return Err(Rejection::WrongState { what, is });
    }
    if reasons.is_empty() {
        return Err(Rejection::Invalid(vec![
            "a refusal needs a reason".to_owned(),
        ]));
    }
    let Some(mut case) = step.state.cases.remove(&id) else {
        return Err(Rejection::NoCase(id));
    };
    let kept = refuse(step, &mut case, reasons);
    step.state.cases.insert(id, case);
    step.unsettled.insert(id);
    Ok(Outcome::PlanRefused(kept))
}

/// Keeps the reasons and lets the agent plan again, while it may, as a new generation: the plan
/// that was sent back is not judged twice.
pub(super) fn refuse(step: &mut Step<'_>, case: &mut Case, reasons: &[String]) -> Vec<String> {
    let kept: Vec<String> = reasons
        .iter()
        .take(limits::MAX_REASONS)
        .map(|reason| reason.chars().take(limits::MAX_LINE_BYTES / 4).collect())
        .collect();
    step.note(case, Happened::PlanRefused(kept.clone()));
    case.plan_refusals.push(kept.clone());
    let tries = case.plan_refusals.len();
    if tries >= limits::MAX_PLAN_REFUSALS {
        case.ending = Some(CaseOutcome::Failed);
        case.ending_reason = Some(format!(
            "no plan could be made: the butler's agent was refused {tries} times, the last time because {}",
            kept.join("; ")
        ));
    } else if let Some(planning) = &mut case.planning {
        planning.again("the plan was sent back");
        planning.result = None;
        planning.failed_attempts = 0;
        case.generation += 1;
    }
    kept
}
