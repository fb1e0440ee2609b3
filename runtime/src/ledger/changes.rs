//! What the entries changed, for the one who reads duties off the state.
//!
//! # Invariant
//! Bounded by the number of subjects: a subject that is waiting to be looked at waits once.
//!
//! # Why
//! A channel of changes would grow with a reader that is slow, or block the one that applies. A set
//! does neither, and loses nothing, since duties are read off the state and not off the change.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rules::duty::Subject;
use tokio::sync::Notify;

#[derive(Debug, Default)]
struct Waiting {
    subjects: BTreeSet<Subject>,
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

impl Touched {
    /// Both ends.
    pub(crate) fn new() -> (Self, Changes) {
        let touched = Self::default();
        (touched.clone(), Changes(touched))
    }

    /// Adds what an entry touched.
    pub(crate) fn add(&self, subjects: impl IntoIterator<Item = Subject>) {
        self.with(|waiting| waiting.subjects.extend(subjects));
        self.woken.notify_one();
    }

    /// Says that nothing more will come.
    pub(crate) fn end(&self) {
        self.with(|waiting| waiting.is_over = true);
        self.woken.notify_one();
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

#[cfg(test)]
mod tests {
    use rules::id::CaseId;

    use super::*;

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
