//! A human begins a chaos run: the whole plan is in the ledger before any node arms for it.

use crate::chaos::{Plan, Run, concerned, wrong_with};
use crate::limits;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, plan: &Plan) -> Verdict {
    fence::human(step)?;
    let wrong = wrong_with(plan);
    if !wrong.is_empty() {
        return Err(Rejection::Invalid(wrong));
    }
    if let Some(run) = Run::of(step.state) {
        return Err(Rejection::WrongState {
            what: "the one chaos run that there may be".to_owned(),
            is: format!("{} by {} already", run.plan.name, run.by),
        });
    }
    let run = Run {
        id: step.index,
        by: step.principal.to_string(),
        plan: plan.clone(),
        started: None,
        is_ending: false,
        parts: concerned(step.state, plan)?,
        did: Vec::new(),
    };
    let until = step.state.clock.plus(limits::CHAOS_ARM_MS);
    run.put(step.state, until);
    Ok(Outcome::Done)
}
