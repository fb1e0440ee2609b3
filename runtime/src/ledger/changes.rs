//! What the entries changed, for the one who reads duties off the state.
//!
//! # Invariant
//! Bounded by the number of subjects: a subject that is waiting to be looked at waits once.
//!
//! # Why
//! A channel of changes would grow with a reader that is slow, or block the one that applies. A set
//! does neither, and loses nothing, since duties are read off the state and not off the change.
//! Those who follow one case are woken by its changes alone: a thousand of them cost an entry nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rules::duty::Subject;
use rules::id::CaseId;
use tokio::sync::Notify;

#[derive(Debug, Default)]
struct Waiting {
    subjects: BTreeSet<Subject>,
    watched: BTreeMap<CaseId, Vec<Arc<Notify>>>,
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

/// Wakes one who follows a case, until it is dropped.
#[derive(Debug)]
pub struct CaseWatch {
    touched: Touched,
    case: CaseId,
    woken: Arc<Notify>,
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
            for subject in subjects {
                if let Subject::Case(case) = &subject
                    && let Some(watches) = waiting.watched.get(case)
                {
                    for woken in watches {
                        woken.notify_one();
                    }
                }
                waiting.subjects.insert(subject);
            }
        });
        self.woken.notify_one();
    }

    /// Says that nothing more will come.
    pub(crate) fn end(&self) {
        self.with(|waiting| {
            waiting.is_over = true;
            let watches = waiting.watched.values().flatten();
            watches.for_each(|woken| woken.notify_one());
        });
        self.woken.notify_one();
    }

    /// Follows a case.
    pub(crate) fn watch(&self, case: CaseId) -> CaseWatch {
        let woken = Arc::new(Notify::new());
        self.with(|waiting| {
            let watches = waiting.watched.entry(case).or_default();
            watches.push(Arc::clone(&woken));
        });
        CaseWatch {
            touched: self.clone(),
            case,
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

impl CaseWatch {
    /// Returns when the case may have changed, or the ledger is closed: then look, and wait again.
    ///
    /// A change between two calls is not lost, and several may come as one.
    pub async fn changed(&self) {
        self.woken.notified().await;
    }
}

impl Drop for CaseWatch {
    fn drop(&mut self) {
        self.touched.with(|waiting| {
            if let Some(watches) = waiting.watched.get_mut(&self.case) {
                watches.retain(|woken| !Arc::ptr_eq(woken, &self.woken));
                if watches.is_empty() {
                    waiting.watched.remove(&self.case);
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
