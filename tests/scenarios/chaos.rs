//! What is asked about a chaos run, in the words of the scenarios.

use rules::State;
use rules::chaos::{Did, Fault, News, On, Part, Plan, Run, Step, Wish};
use rules::command::{Command, Principal, Who};
use rules::id::NodeId;

use super::render::{clock, names};
use super::words::{Words, Wrong};
use super::world::World;

/// Reads a command about a chaos run, if it is one.
pub fn read(
    world: &World,
    principal: &Principal,
    words: &mut Words<'_>,
) -> Result<Option<Command>, Wrong> {
    Ok(Some(if words.take("begin chaos") {
        let name = words.word()?.to_owned();
        words.expect("for at most")?;
        let limit_ms = words.time_ms()?;
        words.expect("with")?;
        let steps = words.list(step)?;
        Command::Chaos(Wish::Begin(Plan {
            name,
            steps,
            limit_ms,
        }))
    } else if words.take("tell of chaos") {
        let Who::Node(mut node) = principal.who else {
            return Err("only nodes tell of chaos".to_owned());
        };
        let news = news(words)?;
        if words.take("as node") {
            node = words.parse()?;
        }
        let run = run(world, words)?;
        Command::Chaos(Wish::Tell { node, run, news })
    } else if words.take("end chaos") {
        let run = run(world, words)?;
        Command::Chaos(Wish::End { run })
    } else {
        return Ok(None);
    }))
}

/// The run that is said, else the present one.
fn run(world: &World, words: &mut Words<'_>) -> Result<u64, Wrong> {
    if words.take("of run") {
        return words.parse();
    }
    Ok(Run::of(&world.state).map_or(0, |run| run.id))
}

fn step(words: &mut Words<'_>) -> Result<Step, Wrong> {
    let fault = match words.word()? {
        "crash" => Fault::Crash,
        "kill" => Fault::Kill,
        "freeze" => Fault::Freeze,
        "cut" => Fault::Cut,
        "hang" => Fault::Hang,
        "fill" => Fault::Fill {
            left_bytes: 1 << 20,
        },
        other => return Err(format!("{other} is no fault")),
    };
    let on = if words.take("manager") {
        On::Manager
    } else if words.take("all") {
        On::All
    } else if words.take("butler of") {
        On::Butler(words.parse()?)
    } else if words.take("worker") {
        On::Worker(words.parse()?)
    } else {
        On::Node(words.parse::<NodeId>()?)
    };
    words.expect("at")?;
    let at_ms = words.time_ms()?;
    let for_ms = if words.take("for") {
        words.time_ms()?
    } else {
        0
    };
    Ok(Step {
        at_ms,
        for_ms,
        fault,
        on,
    })
}

fn news(words: &mut Words<'_>) -> Result<News, Wrong> {
    Ok(if words.take("armed") {
        News::Part(Part::Armed)
    } else if words.take("over") {
        News::Part(Part::Over)
    } else if words.take("refused") {
        News::Part(Part::Refused(words.text()?))
    } else {
        words.expect("did step")?;
        News::Did(Did {
            step: words.parse()?,
            from_wall_ms: 1000,
            to_wall_ms: 2000,
            trouble: String::new(),
        })
    })
}

/// The run that there is.
pub fn things(state: &State, put: &mut impl FnMut(String, &str, Vec<String>)) {
    let Some(run) = Run::of(state) else {
        return;
    };
    let parts = run.parts.iter();
    let parts = names(parts.map(|(node, part)| format!("{node} {part:?}")));
    let mut now = vec![match run.started {
        Some(started) => format!("started at {}", clock(started)),
        None => "not started".to_owned(),
    }];
    now.push(parts);
    now.push(format!("{} done", run.did.len()));
    now.extend(run.is_ending.then(|| "ending".to_owned()));
    let steps = names(&run.plan.steps);
    put(
        format!("chaos {} by {}", run.plan.name, run.by),
        &steps,
        now,
    );
}
