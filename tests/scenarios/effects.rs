//! What is asked about targets and effects, in the words of the scenarios.

use rules::command::Command;
use rules::effect::{EffectEnd, EffectKey, Intent};
use rules::id::{AttemptId, TargetName};
use rules::target::{Class, Target};

use super::command;
use super::nodes::stamp;
use super::words::{Words, Wrong};
use super::world::World;

/// Reads a command about targets or effects, if it is one.
pub fn read(world: &World, words: &mut Words<'_>) -> Result<Option<Command>, Wrong> {
    Ok(Some(if words.take("put target") {
        put(words)?
    } else if words.take("remove target") {
        let target = words.parse()?;
        Command::RemoveTarget { target }
    } else if words.take("begin") {
        begin(world, words)?
    } else if words.take("end") {
        end(world, words)?
    } else if words.take("settle") {
        settle(words)?
    } else {
        return Ok(None);
    }))
}

fn put(words: &mut Words<'_>) -> Result<Command, Wrong> {
    let mut target = Target {
        name: words.parse()?,
        address: {
            words.expect("at")?;
            words.parse()?
        },
        methods: std::collections::BTreeMap::new(),
        teams: std::collections::BTreeSet::new(),
        needs_secret: false,
    };
    loop {
        if words.take("where") {
            let methods = words.list(|words| {
                let method = words.word()?.to_owned();
                words.expect("is")?;
                Ok((method, class(words)?))
            })?;
            target.methods = methods.into_iter().collect();
        } else if words.take("for") {
            target.teams = words.list(Words::parse)?.into_iter().collect();
        } else if words.take("with a secret") {
            target.needs_secret = true;
        } else {
            return Ok(Command::PutTarget { target });
        }
    }
}

fn class(words: &mut Words<'_>) -> Result<Class, Wrong> {
    if words.take("read") {
        return Ok(Class::Read);
    }
    if words.take("keyed") {
        return Ok(Class::Keyed);
    }
    words.expect("unkeyed")?;
    Ok(Class::Unkeyed)
}

/// `begin KEY for c-1.2 METHOD on TARGET [as CLASS] "BODY"`; the class is the target's own unless said.
fn begin(world: &World, words: &mut Words<'_>) -> Result<Command, Wrong> {
    let own = words.word()?;
    words.expect("for")?;
    let attempt = command::attempt(words)?;
    let method = words.word()?.to_owned();
    words.expect("on")?;
    let target: TargetName = words.parse()?;
    let known = world.state.targets.get(&target);
    let class = if words.take("as") {
        class(words)?
    } else {
        known.map_or(Class::Unkeyed, |known| known.class(&method))
    };
    let digest = stamp(&words.text()?);
    let intent = Intent {
        key: key(world, attempt, own)?,
        target,
        method,
        class,
        digest,
        ordinal: 0,
    };
    Ok(Command::BeginEffect { attempt, intent })
}

fn end(world: &World, words: &mut Words<'_>) -> Result<Command, Wrong> {
    let own = words.word()?;
    words.expect("for")?;
    let attempt = command::attempt(words)?;
    let outcome = if words.take("done") {
        let answer = words.text()?;
        EffectEnd::Done { answer }
    } else {
        words.expect("not done")?;
        let reason = words.text()?;
        EffectEnd::NotDone { reason }
    };
    Ok(Command::EndEffect {
        attempt,
        key: key(world, attempt, own)?,
        outcome,
    })
}

fn settle(words: &mut Words<'_>) -> Result<Command, Wrong> {
    let (case, stage): (rules::id::CaseId, rules::id::StageName) = (words.parse()?, words.parse()?);
    let own = words.word()?;
    let key = spelled(&format!("{case}.{stage}.{own}"))?;
    let was_done = words.take("done");
    if !was_done {
        words.expect("not done")?;
    }
    Ok(Command::SettleEffect {
        case,
        stage,
        key,
        was_done,
        reason: words.text()?,
    })
}

/// The key that an attempt's stage gives to what its agent calls `own`.
fn key(world: &World, attempt: AttemptId, own: &str) -> Result<EffectKey, Wrong> {
    if own.contains('.') {
        return spelled(own);
    }
    let case = world.state.cases.get(&attempt.case);
    let found = case.and_then(|case| case.attempts.get(&attempt.number));
    let stage = found.map(|attempt| attempt.stage.to_string());
    let stage = stage.unwrap_or_default();
    spelled(&format!("{}.{stage}.{own}", attempt.case))
}

fn spelled(key: &str) -> Result<EffectKey, Wrong> {
    key.parse().map_err(|why| format!("{key}: {why}"))
}
