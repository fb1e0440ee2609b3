//! A scenario's text: its steps are replayed, and its answers written anew.

use std::collections::BTreeMap;

use super::answer;
use super::ask;
use super::words::{Words, Wrong};
use super::world::World;

/// A scenario with the answers that the rules give today.
pub struct Replayed {
    pub text: String,
    /// Commands that were accepted, in the words of the scenarios.
    pub accepted: Vec<&'static str>,
}

/// Replays a scenario; `all` are those that it may begin with.
pub fn replay(name: &str, text: &str, all: &BTreeMap<String, String>) -> Result<Replayed, Wrong> {
    let mut world = World::new();
    let text = play(&mut world, name, text, all)?;
    Ok(Replayed {
        text,
        accepted: world.accepted,
    })
}

fn play(
    world: &mut World,
    name: &str,
    text: &str,
    all: &BTreeMap<String, String>,
) -> Result<String, Wrong> {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::new();
    let mut say = |line: &str| {
        out.push_str(line);
        out.push('\n');
    };
    for (at, line) in lines.iter().enumerate() {
        let below: Vec<&str> = lines[at + 1..]
            .iter()
            .map_while(|line| line.strip_prefix('|'))
            .collect();
        let answers = if let Some(asked) = line.strip_prefix("> ") {
            ask::read(world, asked, &below).map(|asked| world.ask(asked))
        } else if let Some(question) = line.strip_prefix("? ") {
            answer::question(&world.state, &mut Words::new(question))
        } else if let Some(other) = line.strip_prefix("@ begin with ") {
            let text = all.get(other).ok_or_else(|| format!("no scenario {other}"));
            text.and_then(|text| play(world, other, text, all))
                .map(|_| Vec::new())
        } else {
            // Old answers go; comments, blank lines and descriptions stay.
            if !line.starts_with("  ") && !line.starts_with('|') {
                say(line);
            }
            continue;
        };
        let answers = answers.map_err(|why| format!("{name}.txt:{}: {line}: {why}", at + 1))?;
        say(line);
        for line in below {
            say(&format!("|{line}"));
        }
        for answer in answers {
            say(&format!("  {answer}"));
        }
    }
    Ok(out)
}
