//! The Manager answers what is said to him: he does what is wished, for whoever wishes it, and says
//! what came of it.
//!
//! # Invariant
//! The post waits until an entry answers it, so a Manager who dies in the middle is followed by one
//! who begins anew. Each step names its request by the post and its own number, and says how things
//! shall be: what the first one did is found done.
//!
//! # Why
//! Each step is a command on the human's behalf, judged like one of their own: who may not create a
//! team may not have it created, whatever they write.

use rules::id::HumanName;
use rules::room::{Post, RoomName};
use rules::{Command, Who};

use super::deed::Deed;
use crate::house::{Hindrance, House};

/// The longest answer; what follows is cut, since a post has room for no more.
const MOST_ANSWER_BYTES: usize = 8 * 1024;

/// Does what a post wishes, and answers it.
pub(super) async fn answer(
    house: House,
    term: u64,
    room: RoomName,
    number: u64,
) -> Result<(), Hindrance> {
    let post = house.look(|state| state.rooms.unanswered(&room, number).cloned());
    let (Some(post), RoomName::Direct(human, _)) = (post, &room) else {
        return Ok(());
    };
    let text = wished(&house, term, human, &post).await?;
    let command = Command::PostMessage {
        room: room.clone(),
        thread: None,
        text,
        attachments: Vec::new(),
        answers: Some(number),
    };
    house.say(Who::Manager { term }, command).await?;
    Ok(())
}

async fn wished(
    house: &House,
    term: u64,
    human: &HumanName,
    post: &Post,
) -> Result<String, Hindrance> {
    let mut text = match house.understanding.understand(&post.text).await {
        Ok(wish) => Deed::new(house, term, human, post).perform(wish).await?,
        Err(refusal) => refusal,
    };
    if text.len() > MOST_ANSWER_BYTES {
        let mut end = MOST_ANSWER_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("\n…");
    }
    Ok(text)
}
