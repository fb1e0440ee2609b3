//! A human says whether an effect was done of which nobody knows: its stage goes on.

use crate::effect::{EffectKey, EffectStatus};
use crate::history::Happened;
use crate::id::{CaseId, StageName};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(
    step: &mut Step<'_>,
    id: CaseId,
    name: &StageName,
    key: &EffectKey,
    was_done: bool,
    reason: &str,
) -> Verdict {
    fence::human(step)?;
    fence::line("reason", reason)?;
    let case = fence::unfinished(step, id)?;
    let stage = case
        .stage(name)
        .ok_or_else(|| Rejection::NoStage(id, name.clone()))?;
    let effect = case.effects.get(key);
    let effect = effect.filter(|effect| effect.stage == *name);
    let effect = effect.ok_or_else(|| Rejection::NoEffect(key.clone()))?;
    let parked = stage.parked.as_ref();
    if !parked.is_some_and(|parked| parked.questions.contains_key(key)) {
        if matches!(effect.status, EffectStatus::Settled { was_done: was, .. } if was == was_done) {
            // Said twice.
            return Ok(Outcome::Done);
        }
        return Err(Rejection::WrongState {
            what: format!("effect {key}"),
            is: "in no question: its stage does not wait for it".to_owned(),
        });
    }
    let Some(mut case) = step.state.cases.remove(&id) else {
        return Err(Rejection::NoCase(id));
    };
    if let Some(effect) = case.effects.get_mut(key) {
        match effect.status {
            EffectStatus::Intended | EffectStatus::NotDone { .. } => {
                effect.status = EffectStatus::Settled {
                    was_done,
                    by: step.principal.to_string(),
                    reason: reason.to_owned(),
                };
            }
            // What is known stands, whatever else its key was used for.
            EffectStatus::Done { .. } | EffectStatus::Settled { .. } => {}
        }
    }
    let (name, key) = (name.clone(), key.clone());
    let what = Happened::EffectSettled(name.clone(), key.clone(), was_done, reason.to_owned());
    step.note(&mut case, what);
    step.answered(&mut case, &name, &key);
    step.state.cases.insert(id, case);
    Ok(Outcome::Done)
}
