//! The scribe: writes the journal, on a thread of its own, or on that of whoever is alone.
//!
//! ```text
//!              ┌─ write_here ──────────────┐
//! submitted ─► ┤                           ├─► journal, fdatasync ─► answered, unsettled
//!              └─ JournalThread, in groups ┘        │
//!                                                   └ fails: new file, again
//! ```
//!
//! # Invariant
//! Nobody is told that a write failed which may still become durable: while the disk refuses, what
//! was handed over waits, and is written once the disk takes it. Batches are written in the order in
//! which they were handed over, whoever writes.
//!
//! # Why
//! Raft knows no write that failed and can be tried later: it stops for good. So the refusal is made
//! at the door, where proposals come in, and what is past the door is held.
//! To wake another thread and be woken by it takes as long as a quick disk takes for the write, so
//! one who is alone writes itself; a disk that was slow the last time gets its own thread again.

use std::io;
use std::sync::{Arc, PoisonError, TryLockError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::handle::{Shared, locked};
use super::journal::{FILE_BYTES, Journal};
use super::queue::{Hurry, Queue, Then, Wanted};
use super::writer::{disk_said, framed_bytes, pause};
use super::{Batch, StorageStatus, StoreError, frame};
use crate::clock;

/// One group: long enough to share one fdatasync among many, short enough to be written at once.
const GROUP_BYTES: usize = 256 * 1024;
/// What the engine may be behind before the journal waits for it: a new file holds all of it.
const MAX_BEHIND_BYTES: usize = 3 * 512 * 1024;
/// How long what nobody waits for waits for company.
const LATER: Duration = Duration::from_millis(50);
/// How long a crowd gathers: a few syncs of a quick disk.
const CROWD: Duration = Duration::from_millis(1);
/// How long a thread that waits for the engine waits before it looks again.
const LOOK: Duration = Duration::from_millis(250);
/// A write that took longer was no matter of a moment.
const MOMENT: Duration = Duration::from_millis(2);

/// Who holds this writes the journal.
pub(super) struct Scribe {
    journal: Journal,
    /// What the disk said to a write that must be made again in a new file.
    failed: Option<io::Error>,
    was_slow: bool,
}

/// The thread that writes the journal.
pub(super) struct JournalThread {
    shared: Arc<Shared>,
}

type Group = (Batch, Vec<Then>);

impl Shared {
    /// Writes what is submitted, if that is a matter of a moment; says whether it did.
    pub fn write_here(&self) -> bool {
        let mut scribe = match self.scribe.try_lock() {
            Ok(scribe) => scribe,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        if scribe.was_slow || scribe.failed.is_some() {
            return false;
        }
        let Some((batch, thens)) = scribe.small_group(&mut self.queue()) else {
            return false;
        };
        match scribe.append(&batch.encode()) {
            Ok(()) => {
                self.written(batch, thens);
                true
            }
            Err(error) => {
                // Held where the next writer begins: it puts a new file in the failed one's place.
                scribe.failed = Some(error);
                self.queue().submitted.push_front((batch, all(thens)));
                false
            }
        }
    }

    /// Says that a group is durable.
    fn written(&self, batch: Batch, thens: Vec<Then>) {
        let mut queue = self.queue();
        queue.unsettled_bytes += framed_bytes(&batch);
        queue.unsettled.push_back(Arc::new(batch));
        let engine_sleeps = queue.asleep.engine;
        drop(queue);
        self.count(0, 1);
        self.count(1, thens.len() as u64);
        for then in thens {
            then(Ok(()));
        }
        // After those who wait for the answer: they go on while it wakes.
        if engine_sleeps {
            self.moved.notify_all();
        }
    }
}

fn all(thens: Vec<Then>) -> Then {
    Box::new(move |result| {
        for then in thens {
            then(if result.is_ok() {
                Ok(())
            } else {
                Err(StoreError::Closed)
            });
        }
    })
}

/// What is written together; none when nothing is submitted.
fn take_group(queue: &mut Queue) -> Option<Group> {
    let (mut group, mut thens) = (Batch::default(), Vec::new());
    while let Some((batch, _)) = queue.submitted.front() {
        let bytes = group.bytes() + batch.bytes();
        if !thens.is_empty() && bytes > GROUP_BYTES {
            break;
        }
        let (batch, then) = queue.submitted.pop_front()?;
        group.append(batch);
        thens.push(then);
    }
    queue.hurry = if queue.submitted.is_empty() {
        Hurry::No
    } else {
        Hurry::Now
    };
    (!thens.is_empty()).then_some((group, thens))
}

impl Scribe {
    pub fn new(journal: Journal) -> Self {
        Self {
            journal,
            failed: None,
            was_slow: false,
        }
    }

    /// All that is submitted, if it can be written without waiting for anything but the disk.
    fn small_group(&self, queue: &mut Queue) -> Option<Group> {
        let bytes = queue.submitted_bytes();
        let is_small = bytes <= GROUP_BYTES && queue.unsettled_bytes <= MAX_BEHIND_BYTES;
        if queue.is_closing || !is_small || !self.journal.has_room(bytes) {
            return None;
        }
        take_group(queue)
    }

    fn append(&mut self, body: &[u8]) -> io::Result<()> {
        let began = clock::boot();
        let appended = self.journal.append(body).map(drop);
        self.was_slow = clock::boot().since(began) > MOMENT;
        appended
    }

    /// Makes a group durable, however long that takes; gives up only when the store is closing.
    fn write(&mut self, shared: &Shared, body: &[u8]) -> Result<(), StoreError> {
        let mut error = if let Some(error) = self.failed.take() {
            error
        } else {
            self.make_room(shared, body.len())?;
            let Err(error) = self.append(body) else {
                return Ok(());
            };
            error
        };
        loop {
            shared.refuse(&disk_said("the journal", &error));
            if let Err(closing) = pause(shared) {
                self.failed = Some(error);
                return Err(closing);
            }
            match self.write_anew(shared, body) {
                Ok(()) => break,
                Err(again) => error = again,
            }
        }
        shared.resume();
        Ok(())
    }

    fn write_anew(&mut self, shared: &Shared, body: &[u8]) -> io::Result<()> {
        let (settled, bodies) = {
            let queue = shared.queue();
            let bodies = queue.unsettled.iter().map(|batch| batch.encode());
            (queue.settled, bodies.collect::<Vec<_>>())
        };
        let all: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).chain([body]).collect();
        self.journal.replace(settled, &all)?;
        shared.count(2, 1);
        Ok(())
    }

    /// Waits for the engine where it is far behind, and goes on in the other file where this one is full.
    fn make_room(&mut self, shared: &Shared, body_bytes: usize) -> Result<(), StoreError> {
        let has_room = self.journal.has_room(body_bytes);
        let mut queue = shared.queue();
        while queue.unsettled_bytes > MAX_BEHIND_BYTES
            || !has_room && queue.settled < self.journal.turns_after()
        {
            if queue.wanted < Wanted::Settled {
                queue.wanted = Wanted::Settled;
                shared.moved.notify_all();
            }
            queue = shared.wait(queue, LOOK);
            if queue.is_closing && is_refusing(shared) {
                return Err(StoreError::Closed);
            }
        }
        if has_room {
            return Ok(());
        }
        let settled = queue.settled;
        drop(queue);
        shared.count(2, 1);
        while let Err(error) = self.journal.turn(settled) {
            shared.refuse(&disk_said("the journal", &error));
            pause(shared)?;
        }
        Ok(())
    }
}

fn is_refusing(shared: &Shared) -> bool {
    *shared.status.borrow() != StorageStatus::Ok
}

impl JournalThread {
    pub fn start(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
        let this = Self { shared };
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || this.run())
    }

    fn run(&self) {
        while self.wait() {
            let mut scribe = locked(&self.shared.scribe);
            let Some((batch, thens)) = take_group(&mut self.shared.queue()) else {
                continue;
            };
            if scribe.write(&self.shared, &batch.encode()).is_ok() {
                self.shared.written(batch, thens);
            } else {
                all(thens)(Err(StoreError::Closed));
            }
        }
        self.shared.queue().is_journal_done = true;
        self.shared.moved.notify_all();
    }

    /// Waits until there is something to be written now; says whether there is, or the store is
    /// closing and nothing is left.
    fn wait(&self) -> bool {
        let mut queue = self.shared.queue();
        let mut is_later = false;
        loop {
            let has_some = !queue.submitted.is_empty();
            if has_some && (queue.hurry == Hurry::Now || is_later) || queue.is_closing {
                return has_some;
            }
            if is_later {
                // Nothing came for a while: who comes next must wake it.
                queue.asleep.journal = true;
                let waited = self.shared.handed_over.wait(queue);
                queue = waited.unwrap_or_else(PoisonError::into_inner);
                queue.asleep.journal = false;
                is_later = false;
            } else {
                let limit = match queue.hurry {
                    Hurry::Crowd => CROWD,
                    Hurry::No | Hurry::Now => LATER,
                };
                let waited = self.shared.handed_over.wait_timeout(queue, limit);
                let (again, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                (queue, is_later) = (again, timeout.timed_out());
            }
        }
    }
}

// A group fits into a frame, and a frame into a file, whatever the first batch of it has.
const _: () = assert!(GROUP_BYTES <= frame::MAX_BODY_BYTES);
const _: () = assert!(MAX_BEHIND_BYTES + 2 * frame::MAX_BODY_BYTES < FILE_BYTES);
