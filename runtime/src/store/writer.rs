//! The engine's thread: it applies what is durable in the journal, and settles it.
//!
//! ```text
//! journal ─► unsettled ─► Applier ─► settled
//!                          │ fails: open again, apply what is unsettled
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
use super::handle::{Shared, locked};
use super::held::Held;
use super::queue::{Queue, Wanted};
use super::status::Half;
use super::{Batch, StoreError, damaged, frame};
use crate::clock::Deadline;
use crate::{disk, world};

/// How long the engine leaves what is durable to gather, when nobody waits for it.
const GATHER: Duration = Duration::from_millis(5);
/// After so long without anything to apply, what is not settled is settled.
const QUIET: Duration = Duration::from_millis(500);
/// How long a disk that refused is left alone.
pub(super) const RETRY: Duration = Duration::from_millis(250);
/// How long a thread that has nothing to do sleeps at most.
pub(super) const IDLE: Duration = Duration::from_hours(1);

/// Who holds this applies to the engine.
pub(super) struct Applier {
    unsettled_bytes: usize,
    /// Whether what there is has gathered for long enough.
    is_due: bool,
    gathered: Deadline,
    quiet: Deadline,
    /// Whether it waits for who wakes it, and whether all was settled before.
    rests: Option<(bool, bool)>,
    /// The engine was let go of and must be opened again.
    has_failed: bool,
}

/// What is to be done with the engine next.
pub(super) enum Due {
    Work(Work),
    /// Nothing for so long; and whether who writes next must wake it.
    Wait(Duration, bool),
    End,
}

/// The disk refuses.
pub(super) struct Refused;

pub(super) enum Work {
    Apply(u64, Arc<Batch>),
    Settle(u64),
    OpenAgain,
}

/// Starts the thread that applies to the engine.
pub(super) fn start(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("store-engine".to_owned())
        .spawn(move || run(&shared))
}

fn run(shared: &Shared) {
    loop {
        let mut applier = locked(&shared.applier);
        let mut queue = shared.queue();
        match applier.due(&mut queue, shared) {
            Due::Work(work) => {
                drop(queue);
                let done = applier.carry_out(shared, work);
                drop(applier);
                if done.is_err() && pause(shared).is_err() {
                    return;
                }
            }
            Due::Wait(limit, is_deep) => {
                drop(applier);
                queue.asleep.engine = is_deep;
                shared.wait(queue, limit).asleep.engine = false;
            }
            Due::End => return,
        }
    }
}

/// The same as a task, where something stands in for the world.
pub(super) async fn keep(shared: Arc<Shared>) {
    loop {
        let due = locked(&shared.applier).due(&mut shared.queue(), &shared);
        match due {
            Due::Work(work) => {
                world::sleep(world::lag()).await;
                // What is due may have been done by somebody who could not wait.
                if shared.is_still_due(&work)
                    && locked(&shared.applier).carry_out(&shared, work).is_err()
                {
                    world::sleep(RETRY).await;
                }
            }
            Due::Wait(limit, is_deep) => {
                shared.queue().asleep.engine = is_deep;
                let _ = world::timeout(limit, shared.moved.rung()).await;
                shared.queue().asleep.engine = false;
            }
            Due::End => return,
        }
    }
}

impl Shared {
    /// Has the engine go on, on this thread, until something holds.
    pub fn go_on_until(&self, holds: impl Fn(&Queue) -> bool) -> Result<(), StoreError> {
        while !holds(&self.queue()) {
            let due = locked(&self.applier).due(&mut self.queue(), self);
            let Due::Work(work) = due else {
                return holds(&self.queue())
                    .then_some(())
                    .ok_or_else(|| self.refusal());
            };
            if locked(&self.applier).carry_out(self, work).is_err() {
                return Err(self.refusal());
            }
        }
        Ok(())
    }

    fn is_still_due(&self, work: &Work) -> bool {
        match work {
            Work::Apply(seq, _) => *seq == self.queue().applied + 1,
            Work::Settle(seq) => *seq > self.queue().settled,
            Work::OpenAgain => true,
        }
    }
}

impl Applier {
    pub fn new() -> Self {
        Self {
            unsettled_bytes: 0,
            is_due: false,
            gathered: Deadline::after(GATHER),
            quiet: Deadline::after(QUIET),
            rests: None,
            has_failed: false,
        }
    }

    fn due(&mut self, queue: &mut Queue, shared: &Shared) -> Due {
        if self.has_failed {
            return if queue.is_closing {
                Due::End
            } else {
                Due::Work(Work::OpenAgain)
            };
        }
        if let Some((was_deep, was_settled)) = self.rests.take() {
            if was_deep {
                self.gathered = Deadline::after(GATHER);
            }
            if was_settled {
                self.quiet = Deadline::after(QUIET);
            }
        }
        let first = usize::try_from(queue.applied - queue.settled).unwrap_or(usize::MAX);
        if let Some(batch) = queue.unsettled.get(first) {
            let is_wanted = queue.wanted > Wanted::Nothing;
            self.is_due |= is_wanted || queue.is_closing || self.gathered.is_over();
            if !self.is_due {
                return Due::Wait(self.gathered.left(), false);
            }
            if self.unsettled_bytes >= shared.bounds.unsettled {
                return Due::Work(Work::Settle(queue.applied));
            }
            return Due::Work(Work::Apply(queue.applied + 1, Arc::clone(batch)));
        }
        self.is_due = false;
        let is_settled = queue.settled == queue.applied;
        if is_settled || queue.wanted == Wanted::Applied {
            queue.wanted = Wanted::Nothing;
        }
        if queue.is_closing && queue.is_journal_done {
            return if is_settled {
                Due::End
            } else {
                Due::Work(Work::Settle(queue.applied))
            };
        }
        if !is_settled && (queue.wanted == Wanted::Settled || self.quiet.is_over()) {
            return Due::Work(Work::Settle(queue.applied));
        }
        // Nothing has come for a while: who writes next must wake it.
        let is_deep = self.gathered.is_over();
        self.rests = Some((is_deep, is_settled));
        let limit = match (is_deep, is_settled) {
            (false, _) => self.gathered.left(),
            (true, true) => IDLE,
            (true, false) => self.quiet.left(),
        };
        Due::Wait(limit, is_deep)
    }

    /// Does what is due; an engine that fails is let go of, and opened again the next time.
    fn carry_out(&mut self, shared: &Shared, work: Work) -> Result<(), Refused> {
        let is_again = matches!(work, Work::OpenAgain);
        let done = match work {
            Work::Apply(seq, batch) => self.apply(shared, seq, &batch),
            Work::Settle(seq) => self.settle(shared, seq),
            // Of one that cannot be used the same holds.
            Work::OpenAgain => guarded(|| self.open_again(shared)),
        };
        self.gathered = Deadline::after(GATHER);
        self.quiet = Deadline::after(QUIET);
        if let Err(error) = done {
            shared.refuse(Half::Engine, engine_said(&error));
            let engine = shared.engine.write();
            let_go(engine.unwrap_or_else(PoisonError::into_inner).take());
            self.has_failed = true;
            return Err(Refused);
        }
        if is_again {
            self.has_failed = false;
            shared.resume(Half::Engine);
        }
        Ok(())
    }

    fn apply(&mut self, shared: &Shared, seq: u64, batch: &Batch) -> Result<(), EngineError> {
        let syncs = with_engine(shared, |engine| engine.apply(batch.ops()))?;
        shared.count(2, syncs);
        self.unsettled_bytes += batch.bytes();
        shared.queue().applied = seq;
        shared.moved.ring_all();
        Ok(())
    }

    fn settle(&mut self, shared: &Shared, seq: u64) -> Result<(), EngineError> {
        with_engine(shared, |engine| engine.settle(seq))?;
        shared.count(2, 1);
        self.unsettled_bytes = 0;
        note_settled(shared, seq);
        Ok(())
    }

    fn open_again(&mut self, shared: &Shared) -> Result<(), EngineError> {
        let (engine, found) = Held::open(shared.kind, &shared.dir)?;
        let (expected, batches) = {
            let queue = shared.queue();
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
        let held = shared.engine.write();
        *held.unwrap_or_else(PoisonError::into_inner) = Some(engine);
        self.unsettled_bytes = 0;
        note_settled(shared, last);
        Ok(())
    }
}

fn note_settled(shared: &Shared, seq: u64) {
    let mut queue = shared.queue();
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
    shared.moved.ring_all();
}

fn with_engine<R>(
    shared: &Shared,
    work: impl FnOnce(&Held) -> Result<R, EngineError>,
) -> Result<R, EngineError> {
    let engine = shared.engine.read().unwrap_or_else(PoisonError::into_inner);
    let engine = engine.as_ref();
    guarded(|| work(engine.ok_or_else(|| EngineError::Failed(io::Error::other("closed")))?))
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
