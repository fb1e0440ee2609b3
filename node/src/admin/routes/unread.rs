//! How much of a room somebody has not read: in the room itself, in the threads of its open cases, and
//! of what the state has handed to the archive.
//!
//! # Why
//! Numbers of posts rise through all rooms, so what is between two of them is no count of a room's
//! own: its posts are looked at. The archive is read without the state being held, and only where it
//! can have something: a room hands over nothing as long as the state keeps less than it may.

use std::collections::BTreeSet;

use rules::State;
use rules::id::HumanName;
use rules::limits::MAX_KEPT_POSTS;
use rules::room::{RoomName, Speaker};

use crate::admin::desk::Desk;
use crate::admin::refused::Answered;
use crate::admin::wire::RoomLine;

/// Posts that are read from the archive in one go.
const SHELF: usize = 256;
/// Posts that are counted in the archive for one room: beyond it, more is only more.
const MAX_OF_ROOM: usize = 1024;
/// Posts that are counted in the archive for one list, so that no list takes more than a moment.
const MAX_OF_LIST: usize = 32 * 1024;

/// Posts of a room that wait to be read by somebody: none of their own does.
pub(super) struct Unread {
    by_themselves: Speaker,
    numbers: BTreeSet<u64>,
    /// The numbers between which the archive may have more: the first that it may, and behind the last.
    shelved: Option<(u64, u64)>,
}

impl Unread {
    /// What the state keeps of it, behind their mark.
    pub(super) fn of(state: &State, name: &RoomName, human: &HumanName) -> Self {
        let (by_themselves, mark) = (
            Speaker::Human(human.clone()),
            state.rooms.read_up_to(name, human),
        );
        let room = state.rooms.rooms.get(name);
        let own = room.into_iter().flat_map(|room| &room.posts);
        let cases = match name {
            RoomName::Team(team) => state.teams.get(team).map(|team| &team.cases),
            RoomName::Direct(..) => None,
        };
        let cases = cases.into_iter().flatten();
        let threads = cases.filter_map(|id| state.cases.get(id));
        let posts = own.chain(threads.flat_map(|case| &case.thread.posts));
        let unread = posts.filter(|post| post.number > mark && post.by != by_themselves);
        let numbers = unread.map(|post| post.number);
        // Those that wait for an answer stay, however old they are.
        let oldest = room.filter(|room| room.posts.len() >= MAX_KEPT_POSTS);
        let oldest = oldest.and_then(|room| {
            let mut kept = room.posts.iter().map(|post| post.number);
            let oldest = kept.find(|number| !room.unanswered.contains(number))?;
            Some((room.since.max(mark + 1), oldest))
        });
        Self {
            numbers: numbers.collect(),
            by_themselves,
            shelved: oldest.filter(|(from, until)| from < until),
        }
    }
}

/// Adds what the archive has to the lines of a list. Blocks.
pub(super) fn count(
    desk: &Desk,
    lines: Vec<(RoomName, Unread, RoomLine)>,
) -> Answered<Vec<RoomLine>> {
    let mut left = MAX_OF_LIST;
    let mut counted = Vec::new();
    for (name, mut unread, line) in lines {
        if let Some((from, until)) = unread.shelved {
            let most = left.min(MAX_OF_ROOM);
            left -= unread.add_shelved(desk, &name, (from, until), most)?;
        }
        let unread = unread.numbers.len() as u64;
        counted.push(RoomLine { unread, ..line });
    }
    Ok(counted)
}

impl Unread {
    /// Adds what the archive has between two numbers, of so many posts at most; says how many those were.
    fn add_shelved(
        &mut self,
        desk: &Desk,
        name: &RoomName,
        (from, mut until): (u64, u64),
        most: usize,
    ) -> Answered<usize> {
        let mut read = 0;
        while read < most {
            let limit = SHELF.min(most - read);
            let posts = desk.ledger.archive().posts(name, (from, until), limit)?;
            read += posts.len();
            let others = posts.iter().filter(|post| post.by != self.by_themselves);
            self.numbers.extend(others.map(|post| post.number));
            match posts.last() {
                Some(last) if posts.len() == limit => until = last.number,
                Some(_) | None => break,
            }
        }
        Ok(read)
    }
}
