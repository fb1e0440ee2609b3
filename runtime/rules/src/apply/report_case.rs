//! A butler closes a case with its report: the first report stands, and the case leaves the state.

use crate::case::{CaseStatus, Report};
use crate::duty::Subject;
use crate::history::Happened;
use crate::id::CaseId;
use crate::limits;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, id: CaseId, generation: u32, report: &Report) -> Verdict {
    let case = fence::of_generation(step, id, generation)?;
    let Some(ending) = case.ending else {
        let (what, is) = (format!("case {id}"), "not over".to_owned());
        return Err(Rejection::WrongState { what, is });
    };
    for line in [&report.root_cause, &report.recommendation, &report.impact]
        .into_iter()
        .flatten()
    {
        if line.len() > limits::MAX_SUMMARY_BYTES {
            return Err(over("max_summary_bytes", limits::MAX_SUMMARY_BYTES));
        }
    }
    if report.summary.len() > limits::MAX_SUMMARY_BYTES {
        return Err(over("max_summary_bytes", limits::MAX_SUMMARY_BYTES));
    }
    if !report.document.fits() || !report.markdown.fits() {
        return Err(over("max_inline_bytes (report)", limits::MAX_INLINE_BYTES));
    }
    let Some(mut case) = step.state.cases.remove(&id) else {
        return Err(Rejection::NoCase(id));
    };
    case.set_status(CaseStatus::Closed(ending));
    case.report = Some(report.clone());
    case.closed_wall_ms = Some(step.wall_ms);
    step.note(&mut case, Happened::Closed(ending));
    if let Some(team) = case
        .team
        .as_ref()
        .and_then(|team| step.state.teams.get_mut(team))
    {
        team.cases.remove(&id);
        team.blob_bytes = team.blob_bytes.saturating_sub(case.blob_bytes);
    }
    let now = step.state.clock;
    step.state
        .requests
        .release(std::mem::take(&mut case.requests), now);
    step.state.closed_cases += 1;
    step.touched.insert(Subject::Case(id));
    step.closed.push(case);
    Ok(Outcome::Done)
}
