//! A human has the texts of a closed case erased: every node takes them out of what it keeps.
//!
//! # Why
//! The case has left the state, so all that changes here are the posts that opened or amended it, and
//! that the state says so; each node does it
//! to its archive and its records as soon as it knows, and so does one that was away.

use crate::id::CaseId;
use crate::limits;
use crate::room::Post;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, case: CaseId, reason: &str) -> Verdict {
    fence::human(step)?;
    fence::line("reason", reason)?;
    if step.state.cases.contains_key(&case) {
        return Err(Rejection::WrongState {
            what: format!("case {case}"),
            is: "open: cancel it first".to_owned(),
        });
    }
    if case >= step.state.next_case || case.0 == 0 {
        return Err(Rejection::NoCase(case));
    }
    if step.state.erased.len() >= limits::MAX_ERASED && !step.state.erased.contains(&case) {
        return Err(over("max_erased", limits::MAX_ERASED));
    }
    step.state.erased.insert(case);
    let rooms = step.state.rooms.rooms.values_mut();
    let posts = rooms.flat_map(|room| &mut room.posts);
    let of_case = posts.filter(|post| post.case == Some(case));
    of_case.for_each(Post::erase);
    Ok(Outcome::Done)
}
