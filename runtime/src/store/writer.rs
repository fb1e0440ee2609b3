//! The engine's thread: it applies what is durable in the journal, and settles it.
//!
//! ```text
//! journal ─► unsettled ─► EngineThread ─► settled
//!                            │ fails: open again, apply what is unsettled
//! ```
//!
//! # Why
//! It takes up what is durable a moment later, not at once: it would take a core from those who are
//! answered at that instant, and once for many frames costs less than once for each.

use std::io;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::engine::{EngineError, guarded};
use super::handle::Shared;
use super::held::Held;
use super::queue::{Queue, Wanted};
use super::{Batch, StoreError, damaged, frame};
use crate::clock::Deadline;
use crate::disk;

/// What may be durable and not settled: a quarter of one of the journal's files.
const UNSETTLED_BYTES: usize = 1024 * 1024;
/// How long the engine leaves what is durable to gather, when nobody waits for it.
const GATHER: Duration = Duration::from_millis(5);
/// After so long without anything to apply, what is not settled is settled.
const QUIET: Duration = Duration::from_millis(500);
/// How long a disk that refused is left alone.
const RETRY: Duration = Duration::from_millis(250);
/// How long a thread that has nothing to do sleeps at most.
const IDLE: Duration = Duration::from_hours(1);

/// The thread that applies to the engine.
pub(super) struct EngineThread {
    shared: Arc<Shared>,
    unsettled_bytes: usize,
    /// Whether what there is has gathered for long enough.
    is_due: bool,
}

impl EngineThread {
    pub fn start(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
        let mut this = Self {
            shared,
            unsettled_bytes: 0,
            is_due: false,
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

    fn next(&mut self) -> Next {
        let shared = Arc::clone(&self.shared);
        let mut queue = shared.queue();
        let (mut gathered, mut quiet) = (Deadline::after(GATHER), Deadline::after(QUIET));
        loop {
            let first = usize::try_from(queue.applied - queue.settled).unwrap_or(usize::MAX);
            if let Some(batch) = queue.unsettled.get(first) {
                let is_wanted = queue.wanted > Wanted::Nothing;
                self.is_due |= is_wanted || queue.is_closing || gathered.is_over();
                if !self.is_due {
                    queue = shared.wait(queue, gathered.left());
                    continue;
                }
                if self.unsettled_bytes >= UNSETTLED_BYTES {
                    return Next::Settle(queue.applied);
                }
                return Next::Apply(queue.applied + 1, Arc::clone(batch));
            }
            self.is_due = false;
            let is_settled = queue.settled == queue.applied;
            if is_settled || queue.wanted == Wanted::Applied {
                queue.wanted = Wanted::Nothing;
            }
            if queue.is_closing && queue.is_journal_done {
                return if is_settled {
                    Next::End
                } else {
                    Next::Settle(queue.applied)
                };
            }
            if !is_settled && (queue.wanted == Wanted::Settled || quiet.is_over()) {
                return Next::Settle(queue.applied);
            }
            if gathered.is_over() {
                // Nothing has come for a while: who writes next must wake it.
                queue.asleep.engine = true;
                queue = shared.wait(queue, if is_settled { IDLE } else { quiet.left() });
                queue.asleep.engine = false;
                gathered = Deadline::after(GATHER);
            } else {
                queue = shared.wait(queue, gathered.left());
            }
            if is_settled {
                quiet = Deadline::after(QUIET);
            }
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
        queue.wanted = Wanted::Nothing;
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
            let failed = self
                .shared
                .engine
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            let_go(failed);
            pause(&self.shared)?;
            // Of one that cannot be used the same holds.
            match guarded(|| self.open_again()) {
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

/// Closes an engine: sled syncs once more as it goes, and panics when the disk still refuses.
pub(super) fn let_go(engine: Option<Held>) {
    let gone = guarded(|| {
        drop(engine);
        Ok(())
    });
    if let Err(error) = gone {
        let why = engine_said(&error);
        tracing::warn!(why, "the engine broke off as it was closed");
    }
}

enum Next {
    Apply(u64, Arc<Batch>),
    Settle(u64),
    End,
}

/// Waits a while; an error once the store is closing.
pub(super) fn pause(shared: &Shared) -> Result<(), StoreError> {
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

pub(super) fn disk_said(what: &str, error: &io::Error) -> String {
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

pub(super) fn framed_bytes(batch: &Batch) -> usize {
    frame::framed_bytes(batch.bytes())
}
