//! The scribe: writes the journal, on a thread of its own, or on that of whoever is alone.
//!
//! ```text
//!              ┌─ write_here ──────────────┐
//! submitted ─► ┤                           ├─► journal, fdatasync ─► answered, unsettled
//!              └─ its thread, in groups ───┘        │
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
use super::journal::Journal;
use super::queue::{Hurry, Queue, Then, Wanted};
use super::status::Half;
use super::writer::{IDLE, RETRY, disk_said, framed_bytes, pause};
use super::{Batch, StorageStatus, StoreError};
use crate::{clock, world};

/// How long what nobody waits for waits for company.
const LATER: Duration = Duration::from_millis(50);
/// How long a crowd gathers: a few syncs of a quick disk.
const CROWD: Duration = Duration::from_millis(1);
/// How long the thread that waits for the engine waits before it looks again.
const LOOK: Duration = Duration::from_millis(250);
/// A write that took longer was no matter of a moment.
const MOMENT: Duration = Duration::from_millis(2);

/// Who holds this writes the journal.
pub(super) struct Scribe {
    journal: Journal,
    /// What is to be written next, once it was taken.
    held: Option<Group>,
    /// The file did not take it: it must be written in a new one.
    has_failed: bool,
    was_slow: bool,
}

/// What stands in the way of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blocked {
    /// The engine is too far behind.
    Engine,
    /// The disk refuses.
    Disk,
}

/// What the journal's thread does next.
enum Due {
    Write,
    /// Waits for somebody who hurries, for so long at most.
    Wait(Option<Duration>),
    End,
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
        if scribe.was_slow || scribe.held.is_some() || world::lag() > MOMENT {
            return false;
        }
        scribe.held = scribe.small_group(self);
        scribe.held.is_some() && scribe.write(self).is_ok()
    }

    /// Writes the next group of what is submitted.
    fn write_group(&self) -> Result<(), Blocked> {
        locked(&self.scribe).write(self)
    }

    /// Writes all that is submitted on this thread, and has the engine keep up: for a store whose
    /// threads are tasks of a stand-in, which do not run while something blocks.
    pub fn write_out(&self) -> Result<(), StoreError> {
        while locked(&self.scribe).has_some(self) {
            match self.write_group() {
                Ok(()) => {}
                Err(Blocked::Engine) => {
                    self.go_on_until(|queue| queue.wanted == Wanted::Nothing)?;
                }
                Err(Blocked::Disk) => return Err(self.refusal()),
            }
        }
        Ok(())
    }

    /// Tells all who wait that the store is closed.
    fn give_up(&self) {
        let mut scribe = locked(&self.scribe);
        self.queue().is_held = false;
        while let Some((_, thens)) = scribe.held.take().or_else(|| take_group(self)) {
            for then in thens {
                then(Err(StoreError::Closed));
            }
        }
    }

    /// Whether nothing more can become durable.
    fn is_lost(&self) -> bool {
        self.queue().is_closing && *self.status.borrow() != StorageStatus::Ok
    }

    /// Says that a group is durable.
    fn written(&self, batch: Batch, thens: Vec<Then>) {
        let mut queue = self.queue();
        queue.is_held = false;
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
            self.moved.ring_all();
        }
    }
}

/// What is written together; none when nothing is submitted.
fn take_group(shared: &Shared) -> Option<Group> {
    let mut queue = shared.queue();
    let (mut group, mut thens) = (Batch::default(), Vec::new());
    while let Some((batch, _)) = queue.submitted.front() {
        let bytes = group.bytes() + batch.bytes();
        if !thens.is_empty() && bytes > shared.bounds.group {
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
            held: None,
            has_failed: false,
            was_slow: false,
        }
    }

    fn has_some(&self, shared: &Shared) -> bool {
        self.held.is_some() || !shared.queue().submitted.is_empty()
    }

    /// All that is submitted, if it can be written without waiting for anything but the disk.
    fn small_group(&self, shared: &Shared) -> Option<Group> {
        let (bytes, behind, is_closing) = {
            let queue = shared.queue();
            let bytes = queue.submitted_bytes();
            (bytes, queue.unsettled_bytes, queue.is_closing)
        };
        let bounds = &shared.bounds;
        let is_small = bytes <= bounds.group && behind <= bounds.behind;
        if is_closing || !is_small || !self.journal.has_room(bytes) {
            return None;
        }
        take_group(shared)
    }

    /// Makes what is held durable, or else the next group; what stands in its way is tried again by
    /// whoever writes next.
    fn write(&mut self, shared: &Shared) -> Result<(), Blocked> {
        let written = self.try_to_write(shared);
        if written.is_err() {
            let mut queue = shared.queue();
            (queue.is_held, queue.hurry) = (true, Hurry::Now);
        }
        written
    }

    fn try_to_write(&mut self, shared: &Shared) -> Result<(), Blocked> {
        if self.held.is_none() {
            self.held = take_group(shared);
        }
        let Some(body) = self.held.as_ref().map(|(batch, _)| batch.encode()) else {
            return Ok(());
        };
        let written = if self.has_failed {
            self.write_anew(shared, &body)
        } else {
            self.make_room(shared, body.len())?;
            self.append(&body)
        };
        if let Err(error) = written {
            self.has_failed = true;
            shared.refuse(Half::Journal, disk_said("the journal", &error));
            return Err(Blocked::Disk);
        }
        if self.has_failed {
            self.has_failed = false;
            shared.resume(Half::Journal);
        }
        if let Some((batch, thens)) = self.held.take() {
            shared.written(batch, thens);
        }
        Ok(())
    }

    fn append(&mut self, body: &[u8]) -> io::Result<()> {
        let began = clock::boot();
        let appended = self.journal.append(body).map(drop);
        self.was_slow = clock::boot().since(began) > MOMENT;
        appended
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

    /// Wants the engine to come nearer where it is far behind, and goes on in the other file where
    /// this one is full.
    fn make_room(&mut self, shared: &Shared, body_bytes: usize) -> Result<(), Blocked> {
        let has_room = self.journal.has_room(body_bytes);
        let mut queue = shared.queue();
        let is_behind = queue.unsettled_bytes > shared.bounds.behind;
        if is_behind || !has_room && queue.settled < self.journal.turns_after() {
            queue.wanted = Wanted::Settled;
            drop(queue);
            shared.moved.ring_all();
            return Err(Blocked::Engine);
        }
        if has_room {
            return Ok(());
        }
        let settled = queue.settled;
        drop(queue);
        shared.count(2, 1);
        self.journal.turn(settled).map_err(|error| {
            shared.refuse(Half::Journal, disk_said("the journal", &error));
            Blocked::Disk
        })?;
        shared.resume(Half::Journal);
        Ok(())
    }
}

impl Queue {
    /// What the journal's thread does next, which has waited for long enough or not.
    fn due(&self, is_later: bool) -> Due {
        let has_some = self.is_held || !self.submitted.is_empty();
        if self.is_closing {
            return if has_some { Due::Write } else { Due::End };
        }
        if has_some && (self.hurry == Hurry::Now || is_later) {
            return Due::Write;
        }
        Due::Wait(match self.hurry {
            // Nothing came for a while: who comes next must wake it.
            _ if is_later => None,
            Hurry::Crowd => Some(CROWD),
            Hurry::No | Hurry::Now => Some(LATER),
        })
    }
}

/// Starts the thread that writes the journal.
pub(super) fn start(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || run(&shared))
}

fn run(shared: &Shared) {
    while wait(shared) {
        while let Err(blocked) = shared.write_group() {
            if shared.is_lost() {
                shared.give_up();
            } else if blocked == Blocked::Disk {
                // One that is closing is lost at the next try.
                drop(pause(shared));
            } else {
                let queue = shared.queue();
                if queue.wanted == Wanted::Settled {
                    drop(shared.wait(queue, LOOK));
                }
            }
        }
    }
    end(shared);
}

fn end(shared: &Shared) {
    shared.queue().is_journal_done = true;
    shared.moved.ring_all();
}

/// Waits until there is something to be written now; says whether there is, or the store is closing
/// and nothing is left.
fn wait(shared: &Shared) -> bool {
    let mut queue = shared.queue();
    let mut is_later = false;
    loop {
        match queue.due(is_later) {
            Due::Write => return true,
            Due::End => return false,
            Due::Wait(Some(limit)) => {
                let waited = shared.handed_over.condvar.wait_timeout(queue, limit);
                let (again, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                (queue, is_later) = (again, timeout.timed_out());
            }
            Due::Wait(None) => {
                queue.asleep.journal = true;
                let waited = shared.handed_over.condvar.wait(queue);
                queue = waited.unwrap_or_else(PoisonError::into_inner);
                queue.asleep.journal = false;
                is_later = false;
            }
        }
    }
}

/// The same as a task, where something stands in for the world.
pub(super) async fn keep(shared: Arc<Shared>) {
    let mut is_later = false;
    loop {
        let due = shared.queue().due(is_later);
        match due {
            Due::Write => {
                world::sleep(world::lag()).await;
                is_later = false;
                if shared.write_group() == Err(Blocked::Disk) {
                    world::sleep(RETRY).await;
                }
            }
            Due::End => return end(&shared),
            Due::Wait(limit) => {
                shared.queue().asleep.journal = limit.is_none();
                let rung = world::timeout(limit.unwrap_or(IDLE), shared.handed_over.rung());
                is_later = rung.await.is_err();
                shared.queue().asleep.journal = false;
            }
        }
    }
}
