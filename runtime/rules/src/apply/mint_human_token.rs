//! A human makes a token by which they, or somebody else, will be known for a while.

use crate::human::HumanToken;
use crate::id::{HumanName, TeamName, TokenName, check_word};
use crate::limits;
use crate::state::Alarm;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(
    step: &mut Step<'_>,
    (human, name): (&HumanName, &TokenName),
    hash: &[u8; 32],
    valid_ms: u64,
    team: Option<&TeamName>,
) -> Verdict {
    fence::human(step)?;
    check_word(name.as_str()).map_err(|bad| Rejection::Invalid(vec![bad.to_string()]))?;
    if !(1..=limits::MAX_HUMAN_TOKEN_VALID_MS).contains(&valid_ms) {
        let why = "a human's token is good for up to 366 days".to_owned();
        return Err(Rejection::Invalid(vec![why]));
    }
    if let Some(team) = team.filter(|team| !step.state.teams.contains_key(*team)) {
        return Err(Rejection::NoTeam(team.clone()));
    }
    let (until, minted_by) = (step.state.clock.plus(valid_ms), step.principal.to_string());
    let people = &mut step.state.people;
    let Some(found) = people.humans.get_mut(human) else {
        return Err(Rejection::NoHuman(human.clone()));
    };
    if let Some(token) = found.tokens.get(name) {
        if token.hash == *hash {
            // Said twice.
            return Ok(Outcome::Done);
        }
        return Err(Rejection::WrongState {
            what: format!("the name {name}"),
            is: "another token's".to_owned(),
        });
    }
    if people.hashes.contains_key(hash) {
        return Err(Rejection::WrongState {
            what: "the secret".to_owned(),
            is: "another token's".to_owned(),
        });
    }
    if found.tokens.len() >= limits::MAX_HUMAN_TOKENS {
        return Err(over("max_human_tokens", limits::MAX_HUMAN_TOKENS));
    }
    let token = HumanToken {
        hash: *hash,
        until,
        team: team.cloned(),
        minted_by,
        minted_wall_ms: step.wall_ms,
    };
    found.tokens.insert(name.clone(), token);
    people.hashes.insert(*hash, (human.clone(), name.clone()));
    people.changes += 1;
    let alarm = Alarm::HumanToken(human.clone(), name.clone());
    step.state.alarms.insert((until, alarm));
    Ok(Outcome::Done)
}
