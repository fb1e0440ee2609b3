//! The leader raises the version of the rules' behaviour, once every node knows the next one.

use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};
use crate::version;

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, to: u32) -> Verdict {
    fence::ledger(step)?;
    let present = step.state.version;
    if to == present {
        // Said twice.
        return Ok(Outcome::Done);
    }
    if version::next(step.state) != Some(to) {
        return Err(Rejection::WrongState {
            what: format!("version {to} of the rules"),
            is: format!("not known to every node, or not the one after {present}"),
        });
    }
    step.state.version = to;
    if to == version::PEOPLE {
        step.state.people.renumber();
    }
    Ok(Outcome::Done)
}
