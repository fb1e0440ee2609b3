//! A worker's gateway says what became of an effect, however late: it settles the effect, and
//! never moves the attempt.

use crate::duty::Subject;
use crate::effect::{EffectEnd, EffectKey, EffectStatus};
use crate::history::Happened;
use crate::id::AttemptId;
use crate::parked::Question;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(
    step: &mut Step<'_>,
    id: AttemptId,
    key: &EffectKey,
    end: &EffectEnd,
) -> Verdict {
    let name = fence::worker(step, id)?.stage.clone();
    let (status, told) = match end {
        EffectEnd::Done { answer } => {
            fence::line("answer", answer)?;
            let answer = answer.clone();
            let told = format!("was done: {answer}");
            (EffectStatus::Done { answer }, told)
        }
        EffectEnd::NotDone { reason } => {
            fence::line("reason", reason)?;
            let reason = reason.clone();
            let told = format!("was not done: {reason}");
            (EffectStatus::NotDone { reason }, told)
        }
    };
    let Some(mut case) = step.state.cases.remove(&id.case) else {
        return Err(Rejection::NoCase(id.case));
    };
    let effect = case.effects.get_mut(key);
    let Some(effect) = effect.filter(|effect| effect.stage == name) else {
        step.state.cases.insert(id.case, case);
        return Err(Rejection::NoEffect(key.clone()));
    };
    let is_last = effect.attempt == id.number;
    let tells_more = match (&effect.status, end) {
        (EffectStatus::Done { .. }, _)
        | (
            EffectStatus::NotDone { .. } | EffectStatus::Settled { .. },
            EffectEnd::NotDone { .. },
        ) => false,
        // Whatever a human thought: the target answered.
        (_, EffectEnd::Done { .. }) => true,
        // What one attempt did not do, another may have.
        (EffectStatus::Intended, EffectEnd::NotDone { .. }) => is_last,
    };
    if tells_more {
        effect.status = status;
        step.note(
            &mut case,
            Happened::EffectEnded(name.clone(), key.clone(), told),
        );
        step.touched.insert(Subject::Case(id.case));
        let parked = case.stage(&name).and_then(|stage| stage.parked.as_ref());
        if parked.and_then(|parked| parked.questions.get(key)) == Some(&Question::WasItDone) {
            step.answered(&mut case, &name, key);
        }
    }
    step.state.cases.insert(id.case, case);
    Ok(Outcome::Done)
}
