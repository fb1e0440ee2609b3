//! A human holds a case: what runs may end, nothing more is started.

use crate::history::Happened;
use crate::id::{CaseId, StageName};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, id: CaseId, reason: &str) -> Verdict {
    fence::human(step)?;
    fence::line("reason", reason)?;
    if fence::unfinished(step, id)?.is_paused {
        let (what, is) = (format!("case {id}"), "paused already".to_owned());
        return Err(Rejection::WrongState { what, is });
    }
    let Some(mut case) = step.state.cases.remove(&id) else {
        return Err(Rejection::NoCase(id));
    };
    case.is_paused = true;
    let names: Vec<StageName> = case
        .all_stages()
        .map(|stage| stage.spec.name.clone())
        .collect();
    for name in names {
        step.unqueue(&case, &name);
    }
    step.state.cases.insert(id, case);
    step.note_in(id, Happened::Paused(reason.to_owned()));
    Ok(Outcome::Done)
}
