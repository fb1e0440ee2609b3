//! A human says what the organisation forbids beyond the matrix.
//!
//! # Why
//! The rules keep the text and its revision; whether it can be read, the leader's judge has said
//! before the entry came to be.

use crate::id::{PolicyName, check_word};
use crate::limits;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, name: &PolicyName, text: &str) -> Verdict {
    fence::human(step)?;
    check_word(name.as_str()).map_err(|bad| Rejection::Invalid(vec![bad.to_string()]))?;
    if text.len() > limits::MAX_INLINE_BYTES {
        return Err(over("max_inline_bytes (policy)", limits::MAX_INLINE_BYTES));
    }
    let people = &mut step.state.people;
    match people.policies.get(name) {
        Some(same) if same == text => return Ok(Outcome::Done),
        None if people.policies.len() >= limits::MAX_POLICIES => {
            return Err(over("max_policies", limits::MAX_POLICIES));
        }
        Some(_) | None => {}
    }
    people.policies.insert(name.clone(), text.to_owned());
    people.changed();
    Ok(Outcome::Done)
}
