//! What is said about targets and effects.

use rules::attempt::{Attempt, AttemptStatus};
use rules::effect::{EffectEnd, EffectKey, Intent};
use rules::id::{AttemptId, CaseId, StageName, TargetName};
use rules::target::{Address, Class, Target};
use rules::{Command, Principal, State, Who};

use crate::lab::Lab;
use crate::pool::{self, one, raw};
use crate::wish::Pick;

/// A target that is for both teams: one method of each class, and others are unkeyed.
pub fn target(pick: Pick) -> Target {
    let methods = [
        ("GET", Class::Read),
        ("PUT", Class::Keyed),
        ("POST", Class::Unkeyed),
    ];
    let known = usize::from(pick / 2 % 4);
    Target {
        name: name(pick),
        address: Address {
            scheme: "https".to_owned(),
            host: if pick == 255 { "" } else { "kube" }.to_owned(),
            port: 443,
        },
        methods: methods
            .into_iter()
            .take(known)
            .map(|(method, class)| (method.to_owned(), class))
            .collect(),
        teams: (0..=pick % 2).map(pool::team).collect(),
        needs_secret: pick / 8 % 2 == 1,
    }
}

fn name(pick: Pick) -> TargetName {
    raw(["mail", "kube"][usize::from(pick) % 2])
}

/// A human describes a target anew, or takes it away.
pub fn describe(how: Pick, which: Pick) -> Command {
    if how.is_multiple_of(8) {
        let target = name(which);
        return Command::RemoveTarget { target };
    }
    let target = target(which);
    Command::PutTarget { target }
}

/// A gateway says something of an effect, or a human does.
pub fn command(lab: &Lab, how: Pick, which: Pick, what: Pick) -> Option<(Principal, Command)> {
    let state = &lab.state;
    if how % 8 == 6 {
        return Some((pool::sam(), settle(state, which, what)?));
    }
    let wants_live = how % 8 < 5;
    let (attempt, known) = one(&attempts(state, wants_live), which)?;
    let key = spelled(attempt.case, &known.stage, what % 3)?;
    let principal = Principal::own(Who::Worker {
        worker: known.worker,
        epoch: known.epoch,
    });
    let command = match how % 8 {
        3 | 5 if what.is_multiple_of(3) => Command::EndEffect {
            attempt,
            key,
            outcome: EffectEnd::NotDone {
                reason: "refused".to_owned(),
            },
        },
        3..=5 => Command::EndEffect {
            attempt,
            key,
            outcome: EffectEnd::Done {
                answer: "200 OK".to_owned(),
            },
        },
        _ => Command::BeginEffect {
            attempt,
            intent: intent(state, key, how, what),
        },
    };
    Some((principal, command))
}

/// Mostly the same request under the same key.
fn intent(state: &State, key: EffectKey, how: Pick, what: Pick) -> Intent {
    let target = name(what % 3 / 2);
    let method = ["PUT", "POST", "PUT"][usize::from(what) % 3].to_owned();
    let known = state.targets.get(&target);
    let class = known.map_or(Class::Unkeyed, |known| known.class(&method));
    Intent {
        key,
        target,
        class: if how == 255 { Class::Read } else { class },
        method,
        digest: [u8::from(what > 250); 32],
        ordinal: 0,
    }
}

/// Attempts that run, or all.
fn attempts(state: &State, wants_live: bool) -> Vec<(AttemptId, Attempt)> {
    let all = state.cases.iter().flat_map(|(case, found)| {
        let attempts = found.attempts.iter();
        attempts.map(|(number, attempt)| {
            let id = AttemptId {
                case: *case,
                number: *number,
            };
            (id, attempt.clone())
        })
    });
    all.filter(|(_, attempt)| !wants_live || attempt.status == AttemptStatus::Running)
        .collect()
}

/// Mostly about what is in question.
fn settle(state: &State, which: Pick, what: Pick) -> Option<Command> {
    let questions = state.cases.values().flat_map(|case| {
        let parked = case.stages.iter();
        let parked = parked.filter_map(|stage| Some((&stage.spec.name, stage.parked.as_ref()?)));
        parked.flat_map(|(name, parked)| {
            let keys = parked.questions.keys().cloned();
            keys.map(|key| (case.id, name.clone(), key))
        })
    });
    let questions: Vec<(CaseId, StageName, EffectKey)> = questions.collect();
    let (case, stage, key) = one(&questions, which).filter(|_| what < 240).or_else(|| {
        let case = state.cases.keys().next()?;
        let stage = pool::stage_name(what);
        let key = spelled(*case, &stage, what % 3)?;
        Some((*case, stage, key))
    })?;
    Some(Command::SettleEffect {
        case,
        stage,
        key,
        was_done: what.is_multiple_of(2),
        reason: "looked".to_owned(),
    })
}

fn spelled(case: CaseId, stage: &StageName, own: Pick) -> Option<EffectKey> {
    format!("{case}.{stage}.k{own}").parse().ok()
}
