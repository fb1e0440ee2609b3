//! A human makes a token with which new nodes may join, for a while.

use crate::id::{TokenName, check_word};
use crate::limits;
use crate::state::Alarm;
use crate::step::Step;
use crate::token::Token;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(
    step: &mut Step<'_>,
    name: &TokenName,
    hash: &[u8; 32],
    valid_ms: u64,
) -> Verdict {
    fence::human(step)?;
    check_word(name.as_str()).map_err(|bad| Rejection::Invalid(vec![bad.to_string()]))?;
    if !(1..=limits::MAX_TOKEN_VALID_MS).contains(&valid_ms) {
        let why = "a token is good for up to 7 days".to_owned();
        return Err(Rejection::Invalid(vec![why]));
    }
    if let Some(token) = step.state.tokens.get(name) {
        if token.hash == *hash {
            // Said twice.
            return Ok(Outcome::Done);
        }
        return Err(Rejection::WrongState {
            what: format!("the name {name}"),
            is: "another token's".to_owned(),
        });
    }
    if step.state.tokens.len() >= limits::MAX_TOKENS {
        return Err(over("max_tokens", limits::MAX_TOKENS));
    }
    let until = step.state.clock.plus(valid_ms);
    let token = Token {
        hash: *hash,
        until,
        minted_by: step.principal.to_string(),
        minted_wall_ms: step.wall_ms,
    };
    step.state.tokens.insert(name.clone(), token);
    step.state
        .alarms
        .insert((until, Alarm::Token(name.clone())));
    Ok(Outcome::Done)
}
