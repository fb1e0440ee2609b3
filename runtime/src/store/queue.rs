//! What waits in the store, between those who submit, the journal and the engine.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar};

use tokio::sync::Notify;

use super::frame::MAX_BODY_BYTES;
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

/// Wakes a thread, or the task that goes in its place where something stands in for the world.
#[derive(Default)]
pub(super) struct Bell {
    pub condvar: Condvar,
    task: Notify,
}

impl Bell {
    pub fn ring(&self) {
        self.condvar.notify_one();
        self.task.notify_one();
    }

    /// Wakes all threads that wait.
    pub fn ring_all(&self) {
        self.condvar.notify_all();
        self.task.notify_one();
    }

    /// Waits for it, as the one task that does.
    pub async fn rung(&self) {
        self.task.notified().await;
    }
}

/// What the size of the journal's files bounds, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// One of them.
    pub file: usize,
    /// The largest body of a frame: how long one group takes to write.
    pub body: usize,
    /// One group: long enough to share one fdatasync among many, short enough to be written at once.
    pub group: usize,
    /// What the engine may be behind before the journal waits for it: a new file holds all of it.
    pub behind: usize,
    /// What the engine may have applied and not settled.
    pub unsettled: usize,
}

impl Bounds {
    /// A group fits into a frame, and a frame into a file, whatever the first batch of it has; and a
    /// new file takes all that the engine may be behind, with a frame more on either side.
    pub fn of(file_bytes: usize) -> Self {
        Self {
            file: file_bytes,
            body: (file_bytes / 4).min(MAX_BODY_BYTES),
            group: file_bytes / 16,
            behind: file_bytes / 8 * 3,
            unsettled: file_bytes / 4,
        }
    }
}

/// What waits between those who submit, the journal and the engine.
#[derive(Default)]
pub(super) struct Queue {
    pub submitted: VecDeque<(Batch, Then)>,
    /// How soon it must be written.
    pub hurry: Hurry,
    /// Whether some of it was taken and could not be written yet.
    pub is_held: bool,
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
