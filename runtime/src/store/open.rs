//! Opening a store: its lock, its journal, its engine, and what the engine may lack of the journal.

use std::fs::TryLockError;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};

use tokio::sync::watch;

use super::engine::{self, guarded};
use super::handle::{Shared, Store, StoreOptions, locked, told};
use super::held::Held;
use super::journal::{self, Found};
use super::queue::{Bell, Bounds, Queue};
use super::scribe::{self, Scribe};
use super::status::StorageStatus;
use super::writer::{self, Applier};
use super::{Batch, StoreError, damaged};
use crate::disk::{self, File};
use crate::world;

const LOCK_NAME: &str = "lock";

impl Store {
    /// Opens a store, makes whole what a kill has left, and refuses what is damaged. Blocks.
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let dir = &options.dir;
        disk::make_folders(dir)
            .map_err(|error| StoreError::failed("make the store's folder", error))?;
        let lock = take_lock(dir)?;
        let bounds = Bounds::of(options.journal_bytes);
        let found = journal::read(dir, bounds.file)?;
        if found.is_new() && engine::exists(options.kind, dir) {
            let place = format!("{} has no journal beside its engine", dir.display());
            return Err(damaged(place));
        }
        if found.is_new() {
            // Before the engine: a store that was only half made is then known as one.
            journal::create(dir, bounds.file)
                .map_err(|error| StoreError::failed("make the journal", error))?;
        }
        let (engine, settled) = Held::open(options.kind, dir).map_err(|error| told(dir, error))?;
        let settled = bring_up(&engine, &found, settled)?;
        let journal = journal::Journal::begin(dir, &found, settled, bounds.file)
            .map_err(|error| StoreError::failed("begin the journal", error))?;
        let shared = Arc::new(Shared {
            dir: dir.clone(),
            kind: options.kind,
            free_needed_bytes: options.free_bytes,
            bounds,
            scribe: Mutex::new(Scribe::new(journal)),
            queue: Mutex::new(Queue {
                settled,
                applied: settled,
                ..Queue::default()
            }),
            handed_over: Bell::default(),
            moved: Bell::default(),
            applier: Mutex::new(Applier::new()),
            engine: RwLock::new(Some(engine)),
            status: watch::Sender::new(StorageStatus::Ok),
            refusals: Mutex::default(),
            counts: [const { AtomicU64::new(0) }; 3],
            room: Mutex::default(),
            threads: Mutex::default(),
            lock: Mutex::new(Some(lock)),
        });
        if world::stand_in().is_some() {
            drop(world::spawn(scribe::keep(Arc::clone(&shared))));
            drop(world::spawn(writer::keep(Arc::clone(&shared))));
            return Ok(Self(shared));
        }
        let threads = [
            scribe::start(Arc::clone(&shared)),
            writer::start(Arc::clone(&shared)),
        ];
        for thread in threads {
            let thread = thread.map_err(|error| StoreError::failed("start a thread", error))?;
            locked(&shared.threads).push(thread);
        }
        Ok(Self(shared))
    }
}

/// Applies the frames that the engine may lack, and settles them; gives the last one.
fn bring_up(engine: &Held, found: &Found, settled: u64) -> Result<u64, StoreError> {
    let frames = found.frames_after(settled)?;
    let Some(last) = frames.last().map(|frame| frame.seq) else {
        return Ok(settled);
    };
    for frame in &frames {
        let batch = Batch::decode(&frame.body)
            .ok_or_else(|| damaged(format!("the journal's frame {} holds no batch", frame.seq)))?;
        guarded(|| engine.apply(batch.ops())).map_err(writer::unapplied)?;
    }
    guarded(|| engine.settle(last)).map_err(writer::unapplied)?;
    Ok(last)
}

fn take_lock(dir: &Path) -> Result<File, StoreError> {
    let failed = |error| StoreError::failed("lock the store", error);
    let file = File::create(&dir.join(LOCK_NAME)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            dir: dir.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
