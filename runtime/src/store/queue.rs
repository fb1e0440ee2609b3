//! What waits in the store, between those who submit, the journal and the engine.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Batch, StoreError};

/// Called once, when a batch is durable or the store is closed.
pub(super) type Then = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// How soon what is submitted must be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hurry {
    /// With the next group: nobody waits for it.
    #[default]
    No,
    /// A moment later: many wait, and more are coming.
    Crowd,
    /// At once.
    Now,
}

/// What someone waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// Nothing: the engine takes up what is durable in its own time.
    #[default]
    Nothing,
    /// That the engine has what is durable.
    Applied,
    /// That it is settled there, so that the journal has room.
    Settled,
}

/// Threads that sleep until they are woken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asleep {
    pub journal: bool,
    pub engine: bool,
}

/// What waits between those who submit, the journal and the engine.
#[derive(Default)]
pub(super) struct Queue {
    pub submitted: VecDeque<(Batch, Then)>,
    /// How soon it must be written.
    pub hurry: Hurry,
    /// Durable in the journal, not settled in the engine; numbered from `settled + 1`.
    pub unsettled: VecDeque<Arc<Batch>>,
    /// What they take in the journal.
    pub unsettled_bytes: usize,
    /// The last frame that the engine has durably.
    pub settled: u64,
    /// The last frame that the engine has applied.
    pub applied: u64,
    /// What is waited for of the engine.
    pub wanted: Wanted,
    /// Which thread sleeps until it is woken.
    pub asleep: Asleep,
    pub is_closing: bool,
    pub is_journal_done: bool,
}

impl Queue {
    /// The last frame that is durable.
    pub fn durable(&self) -> u64 {
        self.settled + self.unsettled.len() as u64
    }

    /// What waits to be written takes in the journal.
    pub fn submitted_bytes(&self) -> usize {
        self.submitted.iter().map(|(batch, _)| batch.bytes()).sum()
    }
}
