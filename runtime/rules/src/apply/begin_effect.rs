//! A worker's gateway is about to do something to the outside: nothing leaves it before this entry.
//!
//! # Why
//! The answer says whether to send at all. What was begun before is not begun again: a keyed
//! effect is repeated under its key, an unkeyed one of which nobody knows parks the stage. A
//! proposer that repeats itself under one request id is told the same as before; whoever asks
//! anew is told how it stands.

use crate::attempt::AttemptStatus;
use crate::case::{Case, PLANNING};
use crate::duty::Subject;
use crate::effect::{Effect, EffectStatus, Intent, Standing, beginning};
use crate::history::Happened;
use crate::id::{AttemptId, StageName, TeamName};
use crate::limits;
use crate::parked::{Parked, Question, Then};
use crate::step::Step;
use crate::target::{Class, is_method};
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::{fence, finish_attempt};

pub(super) fn apply(step: &mut Step<'_>, id: AttemptId, intent: &Intent) -> Verdict {
    let attempt = fence::worker(step, id)?;
    if !attempt.status.is_live() {
        return Err(finish_attempt::over(id, attempt));
    }
    let what = format!("attempt {id}");
    if attempt.status != AttemptStatus::Running {
        let is = "not running yet".to_owned();
        return Err(Rejection::WrongState { what, is });
    }
    let name = attempt.stage.clone();
    if name.as_str() == PLANNING {
        let is = "a planning, which has no effects".to_owned();
        return Err(Rejection::WrongState { what, is });
    }
    well_formed(id, &name, intent)?;
    allowed(step, &attempt.worker.team, intent)?;
    let Some(mut case) = step.state.cases.remove(&id.case) else {
        return Err(Rejection::NoCase(id.case));
    };
    let standing = begin(step, &mut case, id.number, &name, intent);
    step.state.cases.insert(id.case, case);
    // Whoever follows the case sees what its agents are about to do.
    step.touched.insert(Subject::Case(id.case));
    standing.map(Outcome::Effect)
}

/// Whether the intent is one of this stage, and within its limits.
fn well_formed(id: AttemptId, stage: &StageName, intent: &Intent) -> Result<(), Rejection> {
    let wrong = |why: &str| Err(Rejection::Invalid(vec![why.to_owned()]));
    if !intent.key.fits() {
        return wrong("an effect's key is 1 to 192 visible characters");
    }
    if !intent.key.as_str().starts_with(&beginning(id.case, stage)) {
        return wrong("the effect's key is another stage's");
    }
    if !is_method(&intent.method) {
        return wrong("a method is a word in capital letters, such as POST");
    }
    Ok(())
}

/// Whether the team may reach the target, and the gateway saw it as it is.
fn allowed(step: &Step<'_>, team: &TeamName, intent: &Intent) -> Result<(), Rejection> {
    let name = &intent.target;
    let found = step.state.targets.get(name);
    let target = found.ok_or_else(|| Rejection::NoTarget(name.clone()))?;
    if !target.teams.contains(team) {
        let whose = format!("a team that target {name} is for");
        return Err(Rejection::NotYours { whose });
    }
    let (class, method) = (target.class(&intent.method), &intent.method);
    if class != intent.class {
        let what = format!("{method} on {name} is {class}, not {}", intent.class);
        return Err(Rejection::Stale { what });
    }
    if class == Class::Read {
        return Err(Rejection::Invalid(vec![format!(
            "{method} on {name} only reads: it needs no intent"
        )]));
    }
    Ok(())
}

fn begin(
    step: &mut Step<'_>,
    case: &mut Case,
    number: u32,
    name: &StageName,
    intent: &Intent,
) -> Result<Standing, Rejection> {
    let Some(known) = case.effects.get(&intent.key) else {
        if case.effects.len() >= limits::MAX_CASE_EFFECTS {
            return Err(over("max_case_effects", limits::MAX_CASE_EFFECTS));
        }
        return Ok(intend(step, case, number, name, intent, Standing::Go));
    };
    let of = |intent: &Intent| (intent.target.clone(), intent.method.clone(), intent.digest);
    if of(&known.intent) != of(intent) {
        let reason = "its agent used the key of one effect for another";
        let question = Question::WhichIsMeant;
        return Ok(park(step, case, number, intent, question, reason));
    }
    let is_keyed = known.intent.class == Class::Keyed && intent.class == Class::Keyed;
    Ok(match &known.status {
        EffectStatus::Intended if is_keyed => {
            intend(step, case, number, name, intent, Standing::Again)
        }
        EffectStatus::Intended if known.attempt == number => Standing::Open,
        EffectStatus::Intended => {
            let reason = "an earlier attempt began an effect of which nobody knows";
            park(step, case, number, intent, Question::WasItDone, reason)
        }
        EffectStatus::NotDone { .. }
        | EffectStatus::Settled {
            was_done: false, ..
        } => intend(step, case, number, name, intent, Standing::Go),
        EffectStatus::Done { answer } => Standing::Done {
            answer: answer.clone(),
        },
        EffectStatus::Settled { by, reason, .. } => Standing::Done {
            answer: format!("{by} says that it was done: {reason}"),
        },
    })
}

fn intend(
    step: &Step<'_>,
    case: &mut Case,
    number: u32,
    name: &StageName,
    intent: &Intent,
    standing: Standing,
) -> Standing {
    let effect = Effect {
        stage: name.clone(),
        attempt: number,
        intent: intent.clone(),
        status: EffectStatus::Intended,
    };
    let before = case.effects.insert(intent.key.clone(), effect.clone());
    if before.as_ref() != Some(&effect) {
        let (key, target) = (intent.key.clone(), intent.target.clone());
        let method = intent.method.clone();
        let what = Happened::EffectIntended(name.clone(), number, key, target, method);
        step.note(case, what);
    }
    standing
}

/// Takes the attempt back and parks its stage.
fn park(
    step: &mut Step<'_>,
    case: &mut Case,
    number: u32,
    intent: &Intent,
    question: Question,
    reason: &str,
) -> Standing {
    if let Some(name) = step.take_back(case, number, reason) {
        let mut questions = Parked::open(case, &name);
        questions.insert(intent.key.clone(), question);
        let then = Then::Again;
        step.park(case, &name, Parked { questions, then }, reason);
    }
    Standing::Parked {
        reason: reason.to_owned(),
    }
}
