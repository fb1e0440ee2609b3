//! What is said in rooms, in the words of the scenarios.

use std::fmt::Write as _;

use rules::State;
use rules::command::Command;
use rules::id::{AttemptId, CaseId, WorkerId};
use rules::room::Post;

use super::render::{names, shortened};
use super::words::{Words, Wrong};

/// Reads a command about rooms, if it is one: `say in sre [thread c-1] [answering 3] "TEXT"`.
pub fn read(words: &mut Words<'_>) -> Result<Option<Command>, Wrong> {
    Ok(Some(if words.take("say in") {
        let room = words.parse()?;
        let thread = words.take("thread").then(|| words.parse()).transpose()?;
        let answers = words.take("answering").then(|| words.parse()).transpose()?;
        Command::PostMessage {
            room,
            thread,
            text: words.text()?,
            attachments: Vec::new(),
            answers,
        }
    } else if words.take("read up to") {
        let up_to = words.parse()?;
        words.expect("in")?;
        let room = words.parse()?;
        Command::MarkRead { room, up_to }
    } else {
        return Ok(None);
    }))
}

/// The rooms in which something was said or read.
pub fn things(state: &State, put: &mut impl FnMut(String, &str, Vec<String>)) {
    for (name, room) in &state.rooms.rooms {
        let mut now = vec![format!("since {}", room.since)];
        let marks = room.marks.iter();
        now.extend(marks.map(|(human, mark)| format!("{human} has read {mark}")));
        if !room.unanswered.is_empty() {
            now.push(format!("{} unanswered", names(&room.unanswered)));
        }
        if room.chain > 0 {
            now.push(format!("chain of {}", room.chain));
        }
        put(format!("room {name}"), "", now);
        for post in &room.posts {
            put(
                format!("{name} post {}", post.number),
                &told(post),
                Vec::new(),
            );
        }
    }
    if state.rooms.shelved > 0 {
        let now = vec![state.rooms.shelved.to_string()];
        put("archived posts".to_owned(), "", now);
    }
}

/// A post on a line.
pub fn told(post: &Post) -> String {
    let answers = post.answers.map(|post| format!(" in answer to {post}"));
    let text = shortened(&post.text);
    format!("by {}{}: {text:?}", post.by, answers.unwrap_or_default())
}

/// What came of a post.
pub fn posted(
    number: u64,
    case: Option<CaseId>,
    heard_by: &[AttemptId],
    unheard: &[WorkerId],
) -> String {
    // Writing to a string cannot fail.
    let mut told = format!("ok: post {number}");
    if let Some(case) = case {
        let _ = write!(told, ", for {case}");
    }
    if !heard_by.is_empty() {
        let _ = write!(told, ", heard by {}", names(heard_by));
    }
    if !unheard.is_empty() {
        let _ = write!(told, ", not heard by {}", names(unheard));
    }
    told
}
