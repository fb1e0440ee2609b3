//! What holds the keyspaces behind the journal.
//!
//! # Invariant
//! An engine answers reads from what was applied last, and after [`Engine::sync`] keeps all that was
//! applied before it. Between two syncs it may lose any of it; what it then shows after a power cut
//! is some earlier state, or an error.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::{Op, Space};
use crate::world;

/// Which engine holds a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreKind {
    /// sled behind the durable wrapper.
    #[default]
    Sled,
    /// redb: the second implementation of the same trait.
    Redb,
}

/// In which order keys are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The smallest first.
    Ascending,
    /// The largest first.
    Descending,
}

/// Keys with their values.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Why an engine did not do what was asked.
#[derive(Debug)]
pub enum EngineError {
    /// Another process has its file.
    InUse,
    /// What it found cannot have been written by it.
    Damaged(String),
    /// The disk refused.
    Failed(io::Error),
}

/// A part of a keyspace: from `from`, up to and without `until`.
#[derive(Clone, Debug)]
pub struct Part {
    /// The keyspace.
    pub space: Space,
    /// The first key.
    pub from: Vec<u8>,
    /// None for the keyspace's end.
    pub until: Option<Vec<u8>>,
}

/// What holds the keyspaces.
pub trait Engine: Send + Sync {
    /// Applies changes in their order; says how often it had to sync for that.
    fn apply(&self, ops: &[&Op]) -> Result<u64, EngineError>;
    /// Makes everything that was applied durable.
    fn sync(&self) -> Result<(), EngineError>;
    /// The value of a key.
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError>;
    /// The first pairs of a part in the given order, at most `limit`, and at most a few MiB.
    fn range(&self, part: &Part, order: Order, limit: usize) -> Result<Pairs, EngineError>;
    /// What it takes on the disk.
    fn disk_bytes(&self) -> u64;
}

/// Opens the engine in its folder; makes it when it is not there. A panic inside is an error.
pub(super) fn open(kind: StoreKind, dir: &Path) -> Result<Box<dyn Engine>, EngineError> {
    if let Some(world) = world::stand_in() {
        return world.engine(dir);
    }
    let opened = guarded(|| match kind {
        StoreKind::Sled => super::sled::open(dir),
        StoreKind::Redb => super::redb::open(dir),
    })?;
    Ok(opened)
}

/// Whether there is an engine of that kind in the folder.
pub(super) fn exists(kind: StoreKind, dir: &Path) -> bool {
    if let Some(world) = world::stand_in() {
        return world.has_engine(dir);
    }
    match kind {
        StoreKind::Sled => dir.join(super::sled::NAME).exists(),
        StoreKind::Redb => dir.join(super::redb::NAME).exists(),
    }
}

/// Turns a panic of the engine, which is its way to speak of damage, into an error.
pub(super) fn guarded<R>(work: impl FnOnce() -> Result<R, EngineError>) -> Result<R, EngineError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(EngineError::Damaged(said(panic.as_ref()))))
}

pub(super) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it broke off without a word".to_owned())
}
