//! How a stage is parked, and how it goes on: by a human's word or a late answer, never by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::effect::{Effect, EffectKey};
use crate::history::Happened;
use crate::id::StageName;
use crate::stage::StageStatus;
use crate::step::Step;

/// What a human must say of an effect before its stage goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Question {
    /// Whether it was done.
    WasItDone,
    /// What is meant: its key was used for something else too.
    WhichIsMeant,
}

/// What becomes of a stage that is parked no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Then {
    /// It waits for its next attempt.
    Again,
    /// It has failed for this reason.
    Fail(String),
    /// The plan does without it.
    Skip,
}

/// Why a stage is parked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// What must be answered, by the effect's key.
    pub questions: BTreeMap<EffectKey, Question>,
    /// What becomes of the stage then.
    pub then: Then,
}

impl Parked {
    /// The questions that a stage has while it has no live attempt.
    pub(crate) fn open(case: &Case, name: &StageName) -> BTreeMap<EffectKey, Question> {
        let is_open = |effect: &&Effect| effect.stage == *name && effect.is_open();
        let open = case.effects.values().filter(is_open);
        open.map(|effect| (effect.intent.key.clone(), Question::WasItDone))
            .collect()
    }
}

impl Step<'_> {
    /// Has a stage go on to what is next, or parks it where an effect of it is open.
    pub fn go_on(&mut self, case: &mut Case, name: &StageName, then: Then, reason: &str) {
        let questions = Parked::open(case, name);
        if questions.is_empty() {
            self.proceed(case, name, then, reason);
        } else {
            self.park(case, name, Parked { questions, then }, reason);
        }
    }

    /// Parks a stage that has no live attempt.
    pub fn park(&mut self, case: &mut Case, name: &StageName, parked: Parked, reason: &str) {
        let keys = parked.questions.keys().cloned().collect();
        if let Some(stage) = case.stage_mut(name) {
            stage.again(reason);
            stage.status = StageStatus::Parked;
            stage.parked = Some(parked);
        }
        self.note(
            case,
            Happened::Parked(name.clone(), keys, reason.to_owned()),
        );
        self.unsettled.insert(case.id);
    }

    /// That a question about an effect is answered: once all are, its stage goes on.
    pub fn answered(&mut self, case: &mut Case, name: &StageName, key: &EffectKey) {
        let Some(stage) = case.stage_mut(name) else {
            return;
        };
        let Some(parked) = &mut stage.parked else {
            return;
        };
        parked.questions.remove(key);
        if !parked.questions.is_empty() {
            return;
        }
        let reason = stage.reason.clone().unwrap_or_default();
        if let Some(parked) = stage.parked.take() {
            self.proceed(case, name, parked.then, &reason);
        }
    }

    fn proceed(&mut self, case: &mut Case, name: &StageName, then: Then, reason: &str) {
        self.unsettled.insert(case.id);
        let Some(stage) = case.stage_mut(name) else {
            return;
        };
        match then {
            Then::Again => stage.again(reason),
            Then::Skip => {
                stage.end(StageStatus::Skipped, reason);
                self.note(case, Happened::Skipped(name.clone(), reason.to_owned()));
            }
            Then::Fail(why) => {
                stage.end(StageStatus::Failed, &why);
                self.note(case, Happened::Failed(name.clone(), why));
            }
        }
    }
}
