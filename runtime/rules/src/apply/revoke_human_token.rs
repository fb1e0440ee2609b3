//! A human makes somebody's token worthless before its time.

use crate::id::{HumanName, TokenName};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, human: &HumanName, token: &TokenName) -> Verdict {
    fence::human(step)?;
    if !step.state.people.humans.contains_key(human) {
        return Err(Rejection::NoHuman(human.clone()));
    }
    if step.end_token(human, token) {
        Ok(Outcome::Done)
    } else {
        Err(Rejection::NoToken(token.clone()))
    }
}
