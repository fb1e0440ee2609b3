//! Targets and effects of the rules as they are shown, and targets as they are asked for.

use std::collections::BTreeSet;

use rules::case::Case;
use rules::effect::{Effect, EffectStatus};
use rules::id::TeamName;
use rules::target::{Address, Class, Target};

use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{self, Code};

/// A target as it is shown.
pub(in crate::admin) fn shown(target: &Target) -> wire::Target {
    let methods = target.methods.iter();
    wire::Target {
        name: target.name.to_string(),
        address: target.address.to_string(),
        methods: methods
            .map(|(method, of)| (method.clone(), class(*of)))
            .collect(),
        teams: target.teams.iter().map(ToString::to_string).collect(),
        needs_secret: target.needs_secret,
    }
}

/// A target as it is asked for.
pub(in crate::admin) fn asked(target: wire::Target) -> Answered<Target> {
    let classes = target.methods.into_iter().map(|(method, of)| {
        let of = match of {
            wire::MethodClass::Read => Class::Read,
            wire::MethodClass::Keyed => Class::Keyed,
            wire::MethodClass::Unkeyed => Class::Unkeyed,
            wire::MethodClass::Unnamed => {
                let what = format!("method {method}: its class is read, keyed or unkeyed");
                return Err(Refused::new(Code::Invalid, what));
            }
        };
        Ok((method, of))
    });
    let methods = classes.collect::<Answered<_>>()?;
    let teams: Result<BTreeSet<TeamName>, _> =
        target.teams.iter().map(|team| team.parse()).collect();
    let address: Address = target.address.parse()?;
    if !["http", "https"].contains(&address.scheme.as_str()) {
        let what = format!("{address}: only http and https are carried");
        return Err(Refused::new(Code::Invalid, what));
    }
    Ok(Target {
        name: target.name.parse()?,
        address,
        methods,
        teams: teams?,
        needs_secret: target.needs_secret,
    })
}

fn class(class: Class) -> wire::MethodClass {
    match class {
        Class::Read => wire::MethodClass::Read,
        Class::Keyed => wire::MethodClass::Keyed,
        Class::Unkeyed => wire::MethodClass::Unkeyed,
    }
}

/// The effects of a case, by their keys.
pub(in crate::admin) fn effects(case: &Case) -> Vec<wire::EffectView> {
    let effects = case.effects.values();
    effects.map(|effect| view(case, effect)).collect()
}

fn view(case: &Case, effect: &Effect) -> wire::EffectView {
    let (status, says) = match &effect.status {
        EffectStatus::Intended => (wire::EffectStatus::Intended, String::new()),
        EffectStatus::Done { answer } => (wire::EffectStatus::Done, answer.clone()),
        EffectStatus::NotDone { reason } => (wire::EffectStatus::NotDone, reason.clone()),
        EffectStatus::Settled {
            was_done,
            by,
            reason,
        } => {
            let status = if *was_done {
                wire::EffectStatus::SettledDone
            } else {
                wire::EffectStatus::SettledNotDone
            };
            (status, format!("{by}: {reason}"))
        }
    };
    let intent = &effect.intent;
    let stage = case.stage(&effect.stage);
    let parked = stage.and_then(|stage| stage.parked.as_ref());
    wire::EffectView {
        key: intent.key.to_string(),
        stage: effect.stage.to_string(),
        attempt: effect.attempt,
        target: intent.target.to_string(),
        method: intent.method.clone(),
        class: class(intent.class),
        status,
        says,
        is_in_question: parked.is_some_and(|parked| parked.questions.contains_key(&intent.key)),
    }
}
