//! What was said and done, as one line after the other: posts, and views of the entries that did it.

use std::collections::BTreeMap;

use rules::case::Case;
use rules::room::Post;

use super::history;
use crate::admin::wire::{Moment, RoomEntry};

/// Entries in the order of the ledger: a post before what it set going.
pub(in crate::admin) type Entries = BTreeMap<(u64, u32), RoomEntry>;

/// Adds a post that stands in a room, or in the thread of a case.
pub(in crate::admin) fn add_post(entries: &mut Entries, post: &Post, thread: Option<&Case>) {
    let entry = RoomEntry {
        index: post.index,
        at: Moment::from_ms(post.wall_ms),
        by: post.by.to_string(),
        kind: "post".to_owned(),
        post: Some(post.number),
        case: thread
            .map(|case| case.id)
            .or(post.case)
            .map(|case| case.to_string()),
        text: post.text.clone(),
        attachments: post
            .attachments
            .iter()
            .map(|file| file.path.clone())
            .collect(),
        answers: post.answers,
        heard_by: post.heard_by.iter().map(ToString::to_string).collect(),
    };
    entries.insert((post.index, 0), entry);
}

/// Adds what was said and done in the thread of a case behind a place in the ledger.
pub(in crate::admin) fn add_case(entries: &mut Entries, case: &Case, after: u64) {
    let posts = &case.thread.posts;
    let new = posts.partition_point(|post| post.index <= after);
    for post in &posts[new..] {
        add_post(entries, post, Some(case));
    }
    for (at, event) in (1..).zip(&case.history.events) {
        if event.index <= after {
            continue;
        }
        let line = history::line(event);
        let mut text = line.text;
        if line.kind == "opened" {
            text = format!("opened: {}", case.title);
        } else if let (true, Some(report)) = (line.kind == "closed", &case.report) {
            text = format!("{text}: {}", report.summary);
        }
        let entry = RoomEntry {
            index: event.index,
            at: line.at,
            by: line.by,
            kind: line.kind,
            post: None,
            case: Some(case.id.to_string()),
            text,
            attachments: Vec::new(),
            answers: None,
            heard_by: Vec::new(),
        };
        entries.insert((event.index, at), entry);
    }
}
