//! The same request twice is done once, and answered alike.

use rules::apply;
use rules::command::Entry;

use super::broken;
use crate::lab::Told;

pub fn the_same_request_twice_is_done_once(told: &Told<'_>) -> Result<(), String> {
    if told.entry.proposal.request.is_none() {
        return Ok(());
    }
    let mut twice = told.after.clone();
    let again = Entry {
        index: told.entry.index + 1,
        elapsed_ms: 0,
        ..told.entry.clone()
    };
    let applied = apply(&mut twice, &again);
    if applied.verdict != told.applied.verdict {
        let (first, second) = (&told.applied.verdict, &applied.verdict);
        return broken(format!("answered {first:?}, the second time {second:?}"));
    }
    twice.index = told.after.index;
    // That it was asked again is on record.
    twice.audit = told.after.audit.clone();
    if twice != *told.after || !applied.closed.is_empty() {
        return broken("the same request was done twice");
    }
    Ok(())
}
