//! The two threads that write: the journal's, which makes durable and answers, and the engine's,
//! which applies what is durable and settles it.
//!
//! ```text
//! submitted ─► JournalThread ─► unsettled ─► EngineThread ─► settled
//!                 │ answered                    │ fails: open again, apply what is unsettled
//!                 └ fails: new file, again
//! ```
//!
//! # Invariant
//! Nobody is told that a write failed which may still become durable: while the disk refuses, what
//! was handed over waits, and is written once the disk takes it.
//!
//! # Why
//! Raft knows no write that failed and can be tried later: it stops for good. So the refusal is made
//! at the door, where proposals come in, and what is past the door is held.

use std::io;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::engine::{EngineError, guarded};
use super::handle::{Queue, Shared, Then};
use super::held::Held;
use super::journal::{FILE_BYTES, Journal};
use super::{Batch, StoreError, damaged, frame};
use crate::clock::Deadline;
use crate::disk;

/// One group: long enough to share one fdatasync among many, short enough to be written at once.
const GROUP_BYTES: usize = 256 * 1024;
/// What may be durable and not settled: a quarter of one of the journal's files.
const UNSETTLED_BYTES: usize = 1024 * 1024;
/// What the engine may be behind before the journal waits for it: a new file holds all of it.
const MAX_BEHIND_BYTES: usize = 3 * 512 * 1024;
/// After so long without anything to apply, what is not settled is settled.
const QUIET: Duration = Duration::from_millis(500);
/// How long a disk that refused is left alone.
const RETRY: Duration = Duration::from_millis(250);
/// How long a thread that has nothing to do sleeps at most.
const IDLE: Duration = Duration::from_hours(1);

/// The thread that writes the journal.
pub(super) struct JournalThread {
    shared: Arc<Shared>,
    journal: Journal,
}

/// The thread that applies to the engine.
pub(super) struct EngineThread {
    shared: Arc<Shared>,
    unsettled_bytes: usize,
}

impl JournalThread {
    pub fn start(shared: Arc<Shared>, journal: Journal) -> io::Result<JoinHandle<()>> {
        let mut this = Self { shared, journal };
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || this.run())
    }

    fn run(&mut self) {
        while let Some((batch, thens)) = self.next_group() {
            let written = self.write(&batch.encode());
            let is_durable = written.is_ok();
            if is_durable {
                let mut queue = self.shared.queue();
                queue.unsettled_bytes += framed_bytes(&batch);
                queue.unsettled.push_back(Arc::new(batch));
                drop(queue);
                self.shared.count(0, 1);
                self.shared.count(1, thens.len() as u64);
                self.shared.moved.notify_all();
            }
            for then in thens {
                then(if is_durable {
                    Ok(())
                } else {
                    Err(StoreError::Closed)
                });
            }
        }
        self.shared.queue().is_journal_done = true;
        self.shared.moved.notify_all();
    }

    /// What is written together; none once the store is closing and nothing is left.
    fn next_group(&self) -> Option<(Batch, Vec<Then>)> {
        let mut queue = self.shared.queue();
        while queue.submitted.is_empty() {
            if queue.is_closing {
                return None;
            }
            let waited = self.shared.handed_over.wait(queue);
            queue = waited.unwrap_or_else(PoisonError::into_inner);
        }
        let (mut group, mut thens) = (Batch::default(), Vec::new());
        while let Some((batch, _)) = queue.submitted.front() {
            let bytes = group.bytes() + batch.bytes();
            if !group.is_empty() && bytes > GROUP_BYTES {
                break;
            }
            let (batch, then) = queue.submitted.pop_front()?;
            group.append(batch);
            thens.push(then);
        }
        Some((group, thens))
    }

    /// Makes a group durable, however long that takes; gives up only when the store is closing.
    fn write(&mut self, body: &[u8]) -> Result<(), StoreError> {
        self.make_room(body.len())?;
        let Err(mut error) = self.journal.append(body) else {
            return Ok(());
        };
        loop {
            self.shared.refuse(&disk_said("the journal", &error));
            self.pause()?;
            match self.write_anew(body) {
                Ok(()) => break,
                Err(again) => error = again,
            }
        }
        self.shared.resume();
        Ok(())
    }

    fn write_anew(&mut self, body: &[u8]) -> io::Result<()> {
        let (settled, bodies) = {
            let queue = self.shared.queue();
            let bodies = queue.unsettled.iter().map(|batch| batch.encode());
            (queue.settled, bodies.collect::<Vec<_>>())
        };
        let all: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).chain([body]).collect();
        self.journal.replace(settled, &all)?;
        self.shared.count(2, 1);
        Ok(())
    }

    /// Waits for the engine where it is far behind, and goes on in the other file where this one is full.
    fn make_room(&mut self, body_bytes: usize) -> Result<(), StoreError> {
        let has_room = self.journal.has_room(body_bytes);
        let mut queue = self.shared.queue();
        while queue.unsettled_bytes > MAX_BEHIND_BYTES
            || !has_room && queue.settled < self.journal.turns_after()
        {
            queue = self.shared.wait(queue, RETRY);
            if queue.is_closing && self.is_refusing() {
                return Err(StoreError::Closed);
            }
        }
        if has_room {
            return Ok(());
        }
        let settled = queue.settled;
        drop(queue);
        self.shared.count(2, 1);
        while let Err(error) = self.journal.turn(settled) {
            self.shared.refuse(&disk_said("the journal", &error));
            self.pause()?;
        }
        Ok(())
    }

    fn is_refusing(&self) -> bool {
        *self.shared.status.borrow() != super::StorageStatus::Ok
    }

    /// Leaves the disk alone for a while; an error once the store is closing.
    fn pause(&self) -> Result<(), StoreError> {
        pause(&self.shared)
    }
}

impl EngineThread {
    pub fn start(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
        let mut this = Self {
            shared,
            unsettled_bytes: 0,
        };
        thread::Builder::new()
            .name("store-engine".to_owned())
            .spawn(move || this.run())
    }

    fn run(&mut self) {
        loop {
            let done = match self.next() {
                Next::Apply(seq, batch) => self.apply(seq, &batch),
                Next::Settle(seq) => self.settle(seq),
                Next::End => return,
            };
            let recovered = done.or_else(|error| self.recover(error));
            if recovered.is_err() {
                return;
            }
        }
    }

    fn next(&self) -> Next {
        let mut queue = self.shared.queue();
        let mut quiet = Deadline::after(QUIET);
        loop {
            let first = usize::try_from(queue.applied - queue.settled).unwrap_or(usize::MAX);
            if let Some(batch) = queue.unsettled.get(first) {
                if self.unsettled_bytes >= UNSETTLED_BYTES {
                    return Next::Settle(queue.applied);
                }
                return Next::Apply(queue.applied + 1, Arc::clone(batch));
            }
            let is_settled = queue.settled == queue.applied;
            if queue.is_closing && queue.is_journal_done {
                return if is_settled {
                    Next::End
                } else {
                    Next::Settle(queue.applied)
                };
            }
            if !is_settled && quiet.is_over() {
                return Next::Settle(queue.applied);
            }
            let limit = if is_settled { IDLE } else { quiet.left() };
            if is_settled {
                quiet = Deadline::after(QUIET);
            }
            queue = self.shared.wait(queue, limit);
        }
    }

    fn apply(&mut self, seq: u64, batch: &Batch) -> Result<(), EngineError> {
        let syncs = self.with_engine(|engine| engine.apply(batch.ops()))?;
        self.shared.count(2, syncs);
        self.unsettled_bytes += batch.bytes();
        self.shared.queue().applied = seq;
        self.shared.moved.notify_all();
        Ok(())
    }

    fn settle(&mut self, seq: u64) -> Result<(), EngineError> {
        self.with_engine(|engine| engine.settle(seq))?;
        self.shared.count(2, 1);
        self.unsettled_bytes = 0;
        self.note_settled(seq);
        Ok(())
    }

    fn note_settled(&self, seq: u64) {
        let mut queue = self.shared.queue();
        let count = usize::try_from(seq - queue.settled).unwrap_or(usize::MAX);
        let bytes: usize = queue
            .unsettled
            .drain(..count)
            .map(|batch| framed_bytes(&batch))
            .sum();
        queue.unsettled_bytes -= bytes;
        queue.settled = seq;
        queue.applied = queue.applied.max(seq);
        drop(queue);
        self.shared.moved.notify_all();
    }

    fn with_engine<R>(
        &self,
        work: impl FnOnce(&Held) -> Result<R, EngineError>,
    ) -> Result<R, EngineError> {
        let engine = self
            .shared
            .engine
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let engine = engine.as_ref();
        guarded(|| work(engine.ok_or_else(|| EngineError::Failed(io::Error::other("closed")))?))
    }

    /// Opens the engine again and applies what is not settled, until the disk lets it.
    fn recover(&mut self, mut error: EngineError) -> Result<(), StoreError> {
        loop {
            self.shared.refuse(&engine_said(&error));
            *self
                .shared
                .engine
                .write()
                .unwrap_or_else(PoisonError::into_inner) = None;
            pause(&self.shared)?;
            match self.open_again() {
                Ok(()) => break,
                Err(again) => error = again,
            }
        }
        self.shared.resume();
        Ok(())
    }

    fn open_again(&mut self) -> Result<(), EngineError> {
        let (engine, found) = Held::open(self.shared.kind, &self.shared.dir)?;
        let (expected, batches) = {
            let queue = self.shared.queue();
            (queue.settled, queue.unsettled.clone())
        };
        if found < expected {
            return Err(EngineError::Damaged(format!(
                "it was durable to frame {expected} and holds what frame {found} left"
            )));
        }
        for batch in &batches {
            guarded(|| engine.apply(batch.ops()))?;
        }
        let last = expected + batches.len() as u64;
        guarded(|| engine.settle(last))?;
        *self
            .shared
            .engine
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(engine);
        self.unsettled_bytes = 0;
        self.note_settled(last);
        Ok(())
    }
}

enum Next {
    Apply(u64, Arc<Batch>),
    Settle(u64),
    End,
}

/// Waits a while; an error once the store is closing.
fn pause(shared: &Shared) -> Result<(), StoreError> {
    let deadline = Deadline::after(RETRY);
    let mut queue: std::sync::MutexGuard<'_, Queue> = shared.queue();
    while !deadline.is_over() {
        if queue.is_closing {
            return Err(StoreError::Closed);
        }
        queue = shared.wait(queue, deadline.left());
    }
    Ok(())
}

/// What to say when frames could not be applied at opening.
pub(super) fn unapplied(error: EngineError) -> StoreError {
    match error {
        EngineError::Damaged(why) => damaged(why),
        EngineError::InUse => StoreError::failed("bring the store up", io::Error::other("in use")),
        EngineError::Failed(source) => StoreError::failed("bring the store up to date", source),
    }
}

fn disk_said(what: &str, error: &io::Error) -> String {
    if disk::is_full(error) {
        return format!("the disk is full ({what})");
    }
    if disk::is_read_only(error) {
        return format!("the disk is read-only ({what})");
    }
    format!("{what}: {error}")
}

fn engine_said(error: &EngineError) -> String {
    match error {
        EngineError::Failed(error) => disk_said("the store", error),
        EngineError::InUse => "the store is in use by another process".to_owned(),
        EngineError::Damaged(why) => {
            format!("the store is damaged: {why}; {}", super::ADVICE)
        }
    }
}

fn framed_bytes(batch: &Batch) -> usize {
    frame::framed_bytes(batch.bytes())
}

// A group fits into a frame, and a frame into a file, whatever the first batch of it has.
const _: () = assert!(GROUP_BYTES <= frame::MAX_BODY_BYTES);
const _: () = assert!(MAX_BEHIND_BYTES + 2 * frame::MAX_BODY_BYTES < FILE_BYTES);
