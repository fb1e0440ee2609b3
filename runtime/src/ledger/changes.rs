//! What the entries changed, for the one who reads duties off the state.
//!
//! # Invariant
//! Bounded by the number of subjects: a subject that is waiting to be looked at waits once.
//!
//! # Why
//! A channel of changes would grow with a reader that is slow, or block the one that applies. A set
//! does neither, and loses nothing, since duties are read off the state and not off the change.
//! Those who follow one case are woken by its changes alone: a thousand of them cost an entry nothing.
//! Those who follow a room are woken by every case, since cases of its team come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rules::duty::Subject;
use rules::id::CaseId;
use rules::room::RoomName;
use tokio::sync::Notify;

#[derive(Debug, Default)]
struct Waiting {
    subjects: BTreeSet<Subject>,
    watched: BTreeMap<CaseId, Vec<Arc<Notify>>>,
    rooms: BTreeMap<RoomName, Vec<Arc<Notify>>>,
    is_over: bool,
}

/// Where the ledger says what entries touched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    waiting: Arc<Mutex<Waiting>>,
    woken: Arc<Notify>,
}

/// What entries touched since it was last asked; for one reader.
#[derive(Debug)]
pub struct Changes(Touched);

/// What is followed.
#[derive(Clone, Debug)]
enum Followed {
    Case(CaseId),
    Room(RoomName),
}

/// Wakes one who follows a case or a room, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    touched: Touched,
    followed: Followed,
    woken: Arc<Notify>,
}

impl Waiting {
    fn watches(&mut self, followed: &Followed) -> &mut Vec<Arc<Notify>> {
        match followed {
            Followed::Case(case) => self.watched.entry(*case).or_default(),
            Followed::Room(room) => self.rooms.entry(room.clone()).or_default(),
        }
    }

    fn all_rooms(&self) -> impl Iterator<Item = &Arc<Notify>> {
        self.rooms.values().flatten()
    }
}

impl Touched {
    /// Both ends.
    pub(crate) fn new() -> (Self, Changes) {
        let touched = Self::default();
        (touched.clone(), Changes(touched))
    }

    /// Adds what an entry touched.
    pub(crate) fn add(&self, subjects: impl IntoIterator<Item = Subject>) {
        self.with(|waiting| {
            let mut has_cases = false;
            for subject in subjects {
                let watches = match &subject {
                    Subject::Case(case) => {
                        has_cases = true;
                        waiting.watched.get(case)
                    }
                    Subject::Room(room) => waiting.rooms.get(room),
                    Subject::Node(_) | Subject::Team(_) | Subject::Worker(_) => None,
                };
                for woken in watches.into_iter().flatten() {
                    woken.notify_one();
                }
                waiting.subjects.insert(subject);
            }
            if has_cases {
                waiting.all_rooms().for_each(|woken| woken.notify_one());
            }
        });
        self.woken.notify_one();
    }

    /// Says that nothing more will come.
    pub(crate) fn end(&self) {
        self.with(|waiting| {
            waiting.is_over = true;
            let watches = waiting.watched.values().flatten();
            let watches = watches.chain(waiting.all_rooms());
            watches.for_each(|woken| woken.notify_one());
        });
        self.woken.notify_one();
    }

    /// Follows a case.
    pub(crate) fn watch(&self, case: CaseId) -> Watch {
        self.follow(Followed::Case(case))
    }

    /// Follows a room, and all cases.
    pub(crate) fn watch_room(&self, room: RoomName) -> Watch {
        self.follow(Followed::Room(room))
    }

    fn follow(&self, followed: Followed) -> Watch {
        let woken = Arc::new(Notify::new());
        self.with(|waiting| waiting.watches(&followed).push(Arc::clone(&woken)));
        Watch {
            touched: self.clone(),
            followed,
            woken,
        }
    }

    fn with<R>(&self, change: impl FnOnce(&mut Waiting) -> R) -> R {
        change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Changes {
    /// Waits until there is something, and gives all that there is; none once the ledger is closed.
    ///
    /// After opening, the first answer names everything that can have duties.
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<BTreeSet<Subject>> {
        loop {
            let (subjects, is_over) = self
                .0
                .with(|waiting| (std::mem::take(&mut waiting.subjects), waiting.is_over));
            if !subjects.is_empty() {
                return Some(subjects);
            }
            if is_over {
                return None;
            }
            self.0.woken.notified().await;
        }
    }
}

impl Watch {
    /// Returns when what is followed may have changed, or the ledger is closed: then look, and wait
    /// again.
    ///
    /// A change between two calls is not lost, and several may come as one.
    pub async fn changed(&self) {
        self.woken.notified().await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.touched.with(|waiting| {
            let watches = waiting.watches(&self.followed);
            watches.retain(|woken| !Arc::ptr_eq(woken, &self.woken));
            if watches.is_empty() {
                match &self.followed {
                    Followed::Case(case) => drop(waiting.watched.remove(case)),
                    Followed::Room(room) => drop(waiting.rooms.remove(room)),
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_follows_a_case_is_woken_by_its_changes_alone() {
        let (touched, _changes) = Touched::new();
        let (one, other) = (touched.watch(CaseId(1)), touched.watch(CaseId(2)));
        touched.add([Subject::Case(CaseId(1))]);
        tokio::select! {
            biased;
            () = other.changed() => panic!("case 2 did not change"),
            () = one.changed() => {}
        }
        touched.end();
        other.changed().await;
        drop((one, other));
        assert!(touched.with(|waiting| waiting.watched.is_empty()));
    }

    #[tokio::test]
    async fn who_follows_a_room_is_woken_by_it_and_by_every_case() {
        let (touched, _changes) = Touched::new();
        let room = |name: &str| name.parse::<RoomName>().unwrap();
        let (one, other) = (
            touched.watch_room(room("sre")),
            touched.watch_room(room("db")),
        );
        touched.add([Subject::Room(room("sre"))]);
        tokio::select! {
            biased;
            () = other.changed() => panic!("nothing was said in db"),
            () = one.changed() => {}
        }
        touched.add([Subject::Case(CaseId(1))]);
        one.changed().await;
        other.changed().await;
        drop((one, other));
        assert!(touched.with(|waiting| waiting.rooms.is_empty()));
    }

    #[tokio::test]
    async fn a_subject_that_changed_often_is_named_once() {
        let (touched, mut changes) = Touched::new();
        for _ in 0..3 {
            touched.add([Subject::Case(CaseId(1)), Subject::Case(CaseId(2))]);
        }
        assert_eq!(changes.next().await.map(|all| all.len()), Some(2));
    }

    #[tokio::test]
    async fn what_was_touched_before_the_end_is_still_told() {
        let (touched, mut changes) = Touched::new();
        touched.add([Subject::Case(CaseId(1))]);
        touched.end();
        assert!(changes.next().await.is_some());
        assert!(changes.next().await.is_none());
    }
}
