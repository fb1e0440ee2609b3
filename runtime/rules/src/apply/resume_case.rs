//! A human lets a held case go on, as a new generation.

use crate::history::Happened;
use crate::id::CaseId;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, id: CaseId) -> Verdict {
    fence::human(step)?;
    if !fence::unfinished(step, id)?.is_paused {
        let (what, is) = (format!("case {id}"), "not paused".to_owned());
        return Err(Rejection::WrongState { what, is });
    }
    let case = step.state.cases.get_mut(&id).ok_or(Rejection::NoCase(id))?;
    case.is_paused = false;
    step.note_in(id, Happened::Resumed);
    Ok(Outcome::Done)
}
