//! The store's handle: what the ledger and the archive hold.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::engine::{EngineError, Order, Pairs, Part, StoreKind, guarded};
use super::held::Held;
use super::queue::{Bell, Bounds, Hurry, Queue, Wanted};
use super::scribe::Scribe;
use super::status::StorageStatus;
use super::writer::{Applier, let_go};
use super::{Batch, Space, StoreError, damaged};
use crate::clock::{self, BootMs};
use crate::disk::{self, File};
use crate::world;

/// How long a read waits for the engine to have what was answered before.
const READ_LIMIT: Duration = Duration::from_secs(10);
/// How long the answer to "how much is free" is good.
const ROOM_MS: u64 = 50;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Its folder; made when it is not there.
    pub dir: PathBuf,
    /// What holds it.
    pub kind: StoreKind,
    /// Free bytes of the disk below which [`Store::check_room`] refuses.
    pub free_bytes: u64,
    /// What each of the journal's two files takes; a store keeps what it was made with.
    pub journal_bytes: usize,
}

/// What the store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames, each with one fdatasync.
    pub groups: u64,
    /// Batches in them.
    pub batches: u64,
    /// Further fdatasyncs: of the engine, and when the journal's file was changed.
    pub settles: u64,
}

/// The store; clones are handles to the same one.
#[derive(Clone)]
pub struct Store(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub dir: PathBuf,
    pub kind: StoreKind,
    pub free_needed_bytes: u64,
    pub bounds: Bounds,
    /// Who writes the journal holds it; it is taken before the queue, never while that is held.
    pub scribe: Mutex<Scribe>,
    pub queue: Mutex<Queue>,
    /// Wakes the journal's thread.
    pub handed_over: Bell,
    /// Wakes the engine's thread and whoever waits for either.
    pub moved: Bell,
    /// Who applies to the engine holds it; it is taken before the queue, as the scribe is.
    pub applier: Mutex<Applier>,
    pub engine: RwLock<Option<Held>>,
    pub status: watch::Sender<StorageStatus>,
    /// Why each half takes no writes; the status is what both come to.
    pub refusals: Mutex<[Option<String>; 2]>,
    pub counts: [AtomicU64; 3],
    pub room: Mutex<Option<(BootMs, u64)>>,
    pub threads: Mutex<Vec<JoinHandle<()>>>,
    pub lock: Mutex<Option<File>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("dir", &self.0.dir)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Hands changes over; `then` is called once, when they are durable or the store is closed.
    ///
    /// Batches become durable in the order in which they were handed over. `then` runs on the thread
    /// that writes: it must not wait for anything.
    pub fn submit(
        &self,
        batch: Batch,
        then: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        self.submit_later(batch, then)?;
        self.hurry();
        Ok(())
    }

    /// Hands changes over that nobody waits for: they go to the disk together with the next that
    /// somebody waits for, after a moment without such by themselves.
    pub fn submit_later(
        &self,
        batch: Batch,
        then: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        batch.check(self.0.bounds.body)?;
        let mut queue = self.0.queue();
        if queue.is_closing {
            return Err(StoreError::Closed);
        }
        queue.submitted.push_back((batch, Box::new(then)));
        let sleeps = queue.asleep.journal;
        drop(queue);
        if sleeps {
            self.0.handed_over.ring();
        }
        Ok(())
    }

    /// Has what was handed over written at once.
    pub fn hurry(&self) {
        self.0.queue().hurry = Hurry::Now;
        self.0.handed_over.ring();
    }

    /// Has what was handed over written within a millisecond or two, with what comes meanwhile. For
    /// many at once: a sync for each few of them would take more from all than it gives to those.
    pub fn gather(&self) {
        let mut queue = self.0.queue();
        let before = queue.hurry;
        queue.hurry = before.max(Hurry::Crowd);
        drop(queue);
        if before == Hurry::No {
            self.0.handed_over.ring();
        }
    }

    /// Writes what was handed over on this thread, where that is a matter of a moment; otherwise has
    /// it written at once. For who is alone: two changes of threads take as long as a quick disk.
    pub fn write_here(&self) {
        if !self.0.write_here() {
            self.hurry();
        }
    }

    /// Hands changes over and waits until they are durable.
    pub async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let (told, answer) = oneshot::channel();
        self.submit(batch, move |result| {
            // Who has gone away does not want to know.
            drop(told.send(result));
        })?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Hands changes over and waits until they are durable. Blocks.
    pub fn commit_now(&self, batch: Batch) -> Result<(), StoreError> {
        let (told, durable) = mpsc::channel();
        self.submit(batch, move |result| drop(told.send(result)))?;
        if world::stand_in().is_some() {
            self.0.write_out()?;
        }
        durable.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// The same, where others wait for who waits: after so long it is given up. The changes may become
    /// durable later, and do so before any that are handed over behind them. Blocks.
    pub fn commit_within(&self, batch: Batch, limit: Duration) -> Result<(), StoreError> {
        let (told, durable) = mpsc::channel();
        self.submit(batch, move |result| drop(told.send(result)))?;
        if world::stand_in().is_some() {
            self.0.write_out()?;
        }
        match durable.recv_timeout(limit) {
            Ok(result) => result,
            Err(RecvTimeoutError::Disconnected) => Err(StoreError::Closed),
            Err(RecvTimeoutError::Timeout) => Err(StoreError::Refusing {
                why: format!("it takes longer than {limit:?}"),
            }),
        }
    }

    /// Waits until all that was handed over is durable and can be read; twice as long at most. Blocks.
    pub fn see_within(&self, limit: Duration) -> Result<(), StoreError> {
        self.commit_within(Batch::default(), limit)?;
        self.0.wait_applied(limit)
    }

    /// Has nothing written as long as what is given lives.
    #[cfg(test)]
    pub(crate) fn hold_up(&self) -> impl Drop + '_ {
        locked(&self.0.scribe)
    }

    /// Waits until somebody waits for the disk.
    #[cfg(test)]
    pub(crate) fn until_waited_for(&self) {
        while self.0.queue().submitted.is_empty() {
            std::thread::yield_now();
        }
    }

    /// The largest batch that it takes.
    pub fn max_batch_bytes(&self) -> usize {
        self.0.bounds.body
    }

    /// The value of a key, with all that was answered before. Blocks.
    pub fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.look(|engine| engine.get(space, key))
    }

    /// The first pairs from `from`, up to and without `until`, at most `limit` and a few MiB. Blocks.
    pub fn range(
        &self,
        space: Space,
        from: &[u8],
        until: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<Pairs, StoreError> {
        let part = Part {
            space,
            from: from.to_vec(),
            until: until.map(<[u8]>::to_vec),
        };
        self.0.look(|engine| engine.range(&part, order, limit))
    }

    /// Whether the disk takes what is written.
    pub fn status(&self) -> watch::Receiver<StorageStatus> {
        self.0.status.subscribe()
    }

    /// Says what is free, where that is too little to take more in: free bytes and needed bytes.
    pub fn check_room(&self) -> Result<(), (u64, u64)> {
        let needed = self.0.free_needed_bytes;
        let mut room = locked(&self.0.room);
        let now = clock::boot();
        let free = match *room {
            Some((asked, free)) if now.0.saturating_sub(asked.0) < ROOM_MS => free,
            _ => {
                // A disk that does not even say how much is free refuses the write itself.
                let free = disk::free_bytes(&self.0.dir).unwrap_or(u64::MAX);
                *room = Some((now, free));
                free
            }
        };
        if free < needed {
            return Err((free, needed));
        }
        Ok(())
    }

    /// What it takes on the disk.
    pub fn disk_bytes(&self) -> u64 {
        let engine = self.0.engine.read().unwrap_or_else(PoisonError::into_inner);
        let engine_bytes = engine.as_ref().map_or(0, Held::disk_bytes);
        engine_bytes + 2 * self.0.bounds.file as u64
    }

    /// What it has done since it was opened.
    pub fn counts(&self) -> Counts {
        let [groups, batches, settles] =
            [0, 1, 2].map(|at| self.0.counts[at].load(Ordering::Relaxed));
        Counts {
            groups,
            batches,
            settles,
        }
    }

    /// Lets the threads end once what was handed over is written; does not wait for them.
    pub fn end(&self) {
        self.0.queue().is_closing = true;
        self.0.handed_over.ring_all();
        self.0.moved.ring_all();
    }

    /// Writes out what was handed over, settles it, and lets go of the files. Blocks.
    ///
    /// While the disk refuses, what is not durable is given up and told so.
    pub fn close(&self) {
        if world::stand_in().is_some() {
            // What a disk that refuses keeps from being durable is given up.
            drop(self.0.write_out());
        }
        self.end();
        let threads = std::mem::take(&mut *locked(&self.0.threads));
        for thread in threads {
            // A thread that broke off has said so; the next opening repairs what it left.
            drop(thread.join());
        }
        let engine = self.0.engine.write();
        let_go(engine.unwrap_or_else(PoisonError::into_inner).take());
        *locked(&self.0.lock) = None;
    }
}

impl Shared {
    pub fn queue(&self) -> MutexGuard<'_, Queue> {
        locked(&self.queue)
    }

    /// Waits for something to move, at most so long.
    pub fn wait<'a>(&self, queue: MutexGuard<'a, Queue>, limit: Duration) -> MutexGuard<'a, Queue> {
        let waited = self.moved.condvar.wait_timeout(queue, limit);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn look<R>(&self, look: impl FnOnce(&Held) -> Result<R, EngineError>) -> Result<R, StoreError> {
        self.wait_applied(READ_LIMIT)?;
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        let Some(engine) = engine.as_ref() else {
            return Err(self.refusal());
        };
        guarded(|| look(engine)).map_err(|error| told(&self.dir, error))
    }

    fn wait_applied(&self, limit: Duration) -> Result<(), StoreError> {
        let mut queue = self.queue();
        let (durable, deadline) = (queue.durable(), clock::Deadline::after(limit));
        if world::stand_in().is_some() {
            queue.wanted = queue.wanted.max(Wanted::Applied);
            drop(queue);
            return self.go_on_until(|queue| queue.applied >= durable);
        }
        if queue.applied < durable && queue.wanted == Wanted::Nothing {
            queue.wanted = Wanted::Applied;
            self.moved.ring_all();
        }
        while queue.applied < durable {
            if deadline.is_over() {
                return Err(self.refusal());
            }
            queue = self.wait(queue, deadline.left());
        }
        Ok(())
    }

    pub fn count(&self, at: usize, by: u64) {
        self.counts[at].fetch_add(by, Ordering::Relaxed);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The threads hold this too, so they have ended; a store that was not closed ends with its process.
        drop(locked(&self.lock).take());
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What to say of an engine's error.
pub(super) fn told(dir: &Path, error: EngineError) -> StoreError {
    match error {
        EngineError::InUse => StoreError::InUse {
            dir: dir.to_owned(),
        },
        EngineError::Damaged(why) => damaged(format!("{}: {why}", dir.display())),
        EngineError::Failed(source) => StoreError::failed("read the store", source),
    }
}
