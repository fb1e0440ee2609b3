//! A human says how far they have read a room.

use std::cmp::Reverse;

use crate::limits;
use crate::room::{RoomName, Speaker};
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};
use crate::version;

use super::{fence, post_message};

pub(super) fn apply(step: &mut Step<'_>, name: &RoomName, up_to: u64) -> Verdict {
    fence::human(step)?;
    let Some(Speaker::Human(human)) = Speaker::of(step.principal) else {
        return Err(Rejection::NotYours {
            whose: "a human".to_owned(),
        });
    };
    post_message::enter(step.state, &Speaker::Human(human.clone()), name)?;
    if up_to > step.state.rooms.last_post {
        return Err(Rejection::Invalid(vec![format!(
            "there is no post {up_to} yet"
        )]));
    }
    let next = step.state.rooms.last_post + 1;
    let keeps_newest = step.state.version >= version::PEOPLE;
    let room = post_message::room_mut(step.state, name, next);
    let mark = room.marks.entry(human.clone()).or_default();
    *mark = up_to.max(*mark);
    while room.marks.len() > limits::MAX_MARKS {
        // Whoever is furthest behind has read nothing for the longest time; whoever reads now has not.
        let last = room
            .marks
            .iter()
            .filter(|(name, _)| !keeps_newest || **name != human)
            .min_by_key(|(name, mark)| (**mark, Reverse(*name)));
        let Some(last) = last.map(|(name, _)| name.clone()) else {
            break;
        };
        room.marks.remove(&last);
    }
    Ok(Outcome::Done)
}
