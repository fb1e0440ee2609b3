//! Effects: intended by whoever runs now, begun twice only under a key, and parked until settled.

use rules::attempt::AttemptStatus;
use rules::case::Case;
use rules::effect::{Effect, EffectStatus, Standing};
use rules::parked::Question;
use rules::stage::StageStatus;
use rules::target::Class;
use rules::{Command, Outcome, limits};

use super::broken;
use crate::lab::Told;

pub fn only_a_running_attempt_intends(told: &Told<'_>) -> Result<(), String> {
    for (id, case) in &told.after.cases {
        let old = told.before.cases.get(id);
        for (key, effect) in &case.effects {
            let before = old.and_then(|old| old.effects.get(key));
            let is_same = |before: &Effect| {
                before.status == EffectStatus::Intended && before.attempt == effect.attempt
            };
            if effect.status != EffectStatus::Intended || before.is_some_and(is_same) {
                continue;
            }
            let was_running = |case: &Case| {
                let attempt = case.attempts.get(&effect.attempt);
                let stage = case.stage(&effect.stage);
                attempt.is_some_and(|attempt| attempt.status == AttemptStatus::Running)
                    && stage.is_some_and(|stage| stage.attempt == Some(effect.attempt))
            };
            if !old.is_some_and(was_running) {
                return broken(format!("{effect:?} is intended by nobody who runs"));
            }
            let target = told.before.targets.get(&effect.intent.target);
            let class = target.map(|target| target.class(&effect.intent.method));
            if class != Some(effect.intent.class) || class == Some(Class::Read) {
                return broken(format!("{effect:?} is not of its target's class"));
            }
        }
    }
    Ok(())
}

pub fn an_unkeyed_effect_never_begins_twice(told: &Told<'_>) -> Result<(), String> {
    let proposal = &told.entry.proposal;
    let Command::BeginEffect { attempt, intent } = &proposal.command else {
        return Ok(());
    };
    let Ok(Outcome::Effect(standing)) = &told.applied.verdict else {
        return Ok(());
    };
    let mut requests = proposal.request.iter();
    if requests.any(|request| told.before.requests.answered(request).is_some()) {
        // The proposer repeats itself, and is told what it was told.
        return Ok(());
    }
    let case = told.before.cases.get(&attempt.case);
    let before = case.and_then(|case| case.effects.get(&intent.key));
    let may_be_sent = match before.map(|before| &before.status) {
        None
        | Some(
            EffectStatus::NotDone { .. }
            | EffectStatus::Settled {
                was_done: false, ..
            },
        ) => *standing == Standing::Go,
        Some(EffectStatus::Intended) => {
            *standing == Standing::Again && intent.class == Class::Keyed
        }
        Some(EffectStatus::Done { .. } | EffectStatus::Settled { .. }) => false,
    };
    let is_sent = matches!(standing, Standing::Go | Standing::Again);
    if is_sent && !may_be_sent {
        return broken(format!("{before:?} is sent again: {standing:?}"));
    }
    Ok(())
}

pub fn what_nobody_knows_parks_its_stage(told: &Told<'_>) -> Result<(), String> {
    for (id, case) in &told.after.cases {
        if case.effects.len() > limits::MAX_CASE_EFFECTS {
            return broken(format!("{id} keeps too many effects"));
        }
        for stage in case.all_stages() {
            let is_parked = stage.status == StageStatus::Parked;
            let parked = stage.parked.as_ref();
            if is_parked != parked.is_some_and(|parked| !parked.questions.is_empty()) {
                return broken(format!(
                    "{id}: parked for nothing, or not at all: {stage:?}"
                ));
            }
        }
        for (key, effect) in case.effects.iter().filter(|(_, effect)| effect.is_open()) {
            let runs = case.attempts[&effect.attempt].status.is_live();
            let Some(stage) = case.stage(&effect.stage) else {
                continue;
            };
            let parked = stage.parked.as_ref();
            let asks = parked.is_some_and(|parked| parked.questions.contains_key(key));
            if !runs && !stage.status.is_final() && !asks {
                return broken(format!("{id}: {stage:?} goes on without {effect:?}"));
            }
        }
    }
    Ok(())
}

pub fn a_parked_stage_stays_until_it_is_settled(told: &Told<'_>) -> Result<(), String> {
    for (id, old) in &told.before.cases {
        let Some(new) = told.after.cases.get(id) else {
            continue;
        };
        for stage in &old.stages {
            let Some(parked) = &stage.parked else {
                continue;
            };
            let later = new.stage(&stage.spec.name);
            let later = later.and_then(|later| later.parked.as_ref());
            for (key, question) in &parked.questions {
                let stays = later.is_some_and(|later| later.questions.contains_key(key));
                let command = &told.entry.proposal.command;
                let is_settled =
                    matches!(command, Command::SettleEffect { key: settled, .. } if settled == key);
                let is_told =
                    matches!(command, Command::EndEffect { key: ended, .. } if ended == key);
                let is_answered = is_settled || is_told && *question == Question::WasItDone;
                if !stays && !is_answered && new.ending.is_none() {
                    return broken(format!("{id}: nobody settled {key} of {stage:?}"));
                }
            }
        }
    }
    Ok(())
}

pub fn what_was_done_stays_done(told: &Told<'_>) -> Result<(), String> {
    for (id, old) in &told.before.cases {
        let Some(new) = told.after.cases.get(id) else {
            continue;
        };
        for (key, effect) in &old.effects {
            let later = new.effects.get(key);
            let was_done = matches!(effect.status, EffectStatus::Done { .. });
            if later.is_none() || (was_done && later != Some(effect)) {
                return broken(format!("{id}: {effect:?} became {later:?}"));
            }
        }
    }
    Ok(())
}
