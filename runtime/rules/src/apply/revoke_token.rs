//! A human makes a token worthless before its time.

use crate::id::TokenName;
use crate::state::Alarm;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, name: &TokenName) -> Verdict {
    fence::human(step)?;
    let Some(token) = step.state.tokens.remove(name) else {
        return Err(Rejection::NoToken(name.clone()));
    };
    let alarm = (token.until, Alarm::Token(name.clone()));
    step.state.alarms.remove(&alarm);
    Ok(Outcome::Done)
}
