//! What is asked about humans, their tokens and policies, in the words of the scenarios.

use std::collections::BTreeMap;

use rules::State;
use rules::command::Command;
use rules::human::{Human, RoleChange, TeamRole};
use rules::id::HumanName;
use rules::right::{Denial, Right};
use rules::roster::{HumanSpec, Piece};

use super::nodes::stamp;
use super::render::{clock, names};
use super::words::{Words, Wrong};

/// Reads a command about people or policies, if it is one.
pub fn read(words: &mut Words<'_>, below: &[&str]) -> Result<Option<Command>, Wrong> {
    Ok(Some(if words.take("put humans") {
        put(words, below)?
    } else if words.take("remove human") {
        let human = words.parse()?;
        Command::RemoveHuman { human }
    } else if words.take("make") {
        let human = words.parse()?;
        let change = change(words)?;
        Command::SetHumanRole { human, change }
    } else if words.take("give token") {
        give(words)?
    } else if words.take("take token") {
        let token = words.parse()?;
        words.expect("from")?;
        let human = words.parse()?;
        Command::RevokeHumanToken { human, token }
    } else if words.take("put policy") {
        let policy = words.parse()?;
        let text = words.text()?;
        Command::PutPolicy { policy, text }
    } else if words.take("remove policy") {
        let policy = words.parse()?;
        Command::RemovePolicy { policy }
    } else if words.take("record denials") {
        let denials = below.iter().map(|line| denial(&mut Words::new(line)));
        let denials = denials.collect::<Result<_, _>>()?;
        Command::RecordDenials { denials }
    } else {
        return Ok(None);
    }))
}

fn put(words: &mut Words<'_>, below: &[&str]) -> Result<Command, Wrong> {
    let piece = if words.take("piece") {
        let number = words.parse()?;
        words.expect("of")?;
        let of = words.parse()?;
        words.expect("of roster")?;
        let roster = stamp(words.word()?);
        Some(Piece { roster, number, of })
    } else {
        None
    };
    let put = below.iter().map(|line| spec(&mut Words::new(line)));
    let put = put.collect::<Result<_, _>>()?;
    Ok(Command::PutHumans { put, piece })
}

fn spec(words: &mut Words<'_>) -> Result<HumanSpec, Wrong> {
    let mut spec = HumanSpec {
        name: words.parse()?,
        display: None,
        employee: None,
        teams: BTreeMap::new(),
    };
    loop {
        if words.take("employee") {
            spec.employee = Some(words.parse()?);
        } else if words.take("called") {
            spec.display = Some(words.text()?);
        } else if words.take("lead of") {
            spec.teams.insert(words.parse()?, TeamRole::Lead);
        } else if words.take("member of") {
            spec.teams.insert(words.parse()?, TeamRole::Member);
        } else {
            words.end()?;
            return Ok(spec);
        }
    }
}

fn change(words: &mut Words<'_>) -> Result<RoleChange, Wrong> {
    if words.take("an admin") {
        return Ok(RoleChange::Admin { is_admin: true });
    }
    if words.take("no admin") {
        return Ok(RoleChange::Admin { is_admin: false });
    }
    let role = if words.take("lead of") {
        Some(TeamRole::Lead)
    } else if words.take("member of") {
        Some(TeamRole::Member)
    } else {
        words.expect("nothing in")?;
        None
    };
    let team = words.parse()?;
    Ok(RoleChange::Team { team, role })
}

fn give(words: &mut Words<'_>) -> Result<Command, Wrong> {
    let token = words.parse()?;
    words.expect("to")?;
    let human = words.parse()?;
    words.expect("of secret")?;
    let hash = stamp(words.word()?);
    words.expect("for")?;
    let valid_ms = words.time_ms()?;
    let team = if words.take("only in") {
        Some(words.parse()?)
    } else {
        None
    };
    Ok(Command::MintHumanToken {
        human,
        token,
        hash,
        valid_ms,
        team,
    })
}

/// Reads `WHO RIGHT [in TEAM] COUNT times`.
fn denial(words: &mut Words<'_>) -> Result<Denial, Wrong> {
    let who = words.word()?.to_owned();
    let name = words.word()?;
    let right = Right::ALL.into_iter().find(|right| right.name() == name);
    let team = if words.take("in") {
        Some(words.parse()?)
    } else {
        None
    };
    let count = words.parse()?;
    words.expect("times")?;
    Ok(Denial {
        who,
        right,
        team,
        count,
    })
}

/// The people and policies as a person would tell them; the first of each pair is what never
/// changes.
pub fn things(state: &State, put: &mut impl FnMut(String, &str, Vec<String>)) {
    for (name, human) in &state.people.humans {
        put(format!("human {name}"), "", of_human(state, name, human));
        for (token, found) in &human.tokens {
            let told = format!(
                "minted by {} until {}{}",
                found.minted_by,
                clock(found.until),
                found
                    .team
                    .as_ref()
                    .map_or(String::new(), |team| format!(", only in {team}"))
            );
            put(format!("token {token} of {name}"), &told, Vec::new());
        }
    }
    for (roster, staged) in &state.people.staged {
        let name = roster.iter().take_while(|byte| **byte != 0);
        let name: String = name.map(|byte| char::from(*byte)).collect();
        let (come, of) = (staged.pieces.len(), staged.of);
        let now = vec![format!("{come} of {of} pieces are here")];
        put(format!("roster {name}"), "", now);
    }
    for (policy, text) in &state.people.policies {
        put(format!("policy {policy}"), "", vec![text.clone()]);
    }
}

fn of_human(state: &State, name: &HumanName, human: &Human) -> Vec<String> {
    let mut now = Vec::new();
    now.extend(human.display.clone());
    now.extend(human.employee.as_ref().map(|id| format!("employee {id}")));
    if human.is_admin {
        now.push("an admin".to_owned());
    }
    let roles = human.teams.iter().filter_map(|team| {
        let role = state.people.role(name, team)?;
        Some(format!("{role} of {team}"))
    });
    now.push(format!("roles: {}", names(roles)));
    now
}
