//! One entry on its way through the rules: the state, who asks, and all that the entry touches.

use std::collections::BTreeSet;

use crate::case::Case;
use crate::command::{Entry, Principal};
use crate::duty::Subject;
use crate::history::{Event, Happened};
use crate::id::{CaseId, WorkerId};
use crate::room::{RoomName, Shelved};
use crate::state::State;

/// An entry that is being applied.
pub(crate) struct Step<'a> {
    pub state: &'a mut State,
    pub index: u64,
    pub term: u64,
    pub wall_ms: u64,
    pub principal: &'a Principal,
    /// What duties may have changed about.
    pub touched: BTreeSet<Subject>,
    /// Cases to be followed up before the entry is done.
    pub unsettled: BTreeSet<CaseId>,
    /// Workers that may have room for one more attempt.
    pub freed: BTreeSet<WorkerId>,
    /// Cases that left the state.
    pub closed: Vec<Case>,
    /// Posts that left it.
    pub shelved: Vec<Shelved>,
}

impl<'a> Step<'a> {
    pub fn new(state: &'a mut State, entry: &'a Entry) -> Self {
        Self {
            state,
            index: entry.index,
            term: entry.term,
            wall_ms: entry.proposal.wall_ms,
            principal: &entry.proposal.principal,
            touched: BTreeSet::new(),
            unsettled: BTreeSet::new(),
            freed: BTreeSet::new(),
            closed: Vec::new(),
            shelved: Vec::new(),
        }
    }

    /// Writes into a case's history who did what.
    pub fn note(&self, case: &mut Case, what: Happened) {
        case.history.push(Event {
            index: self.index,
            wall_ms: self.wall_ms,
            by: self.principal.to_string(),
            what,
        });
    }

    /// Notes it in the history of a case that is in the state, and has it followed up.
    pub fn note_in(&mut self, id: CaseId, what: Happened) {
        self.unsettled.insert(id);
        if let Some(mut case) = self.state.cases.remove(&id) {
            self.note(&mut case, what);
            self.state.cases.insert(id, case);
        }
    }

    /// Closes rooms: what was said in them goes to the archive.
    pub fn close_rooms(&mut self, is_over: impl Fn(&RoomName) -> bool) {
        let rooms = &mut self.state.rooms;
        let over: Vec<RoomName> = rooms
            .rooms
            .keys()
            .filter(|name| is_over(name))
            .cloned()
            .collect();
        for name in over {
            let Some(room) = rooms.rooms.remove(&name) else {
                continue;
            };
            rooms.shelved += room.posts.len() as u64;
            self.touched.insert(Subject::Room(name.clone()));
            let shelve = |post| Shelved {
                room: name.clone(),
                post,
            };
            self.shelved.extend(room.posts.into_iter().map(shelve));
        }
    }
}
