//! The store: ordered keyspaces whose commits are durable, whichever engine holds them.
//!
//! ```text
//! submit ─► group ─► journal: one frame, one fdatasync ─► answered
//!                        │
//!                        ▼ a thread of its own, a moment later
//!                     engine: sled │ redb ─► fdatasync each 128 KiB: settled
//! ```
//!
//! # Invariant
//! What was answered is in a frame that is durable, or in the engine and settled there. A frame goes
//! away only after it is settled. Whatever the engine loses, it is found at opening and either
//! repaired from the journal or refused; nothing is read that was not written.
//!
//! # Why
//! sled's `flush` is no durability on Linux, and a write that it cannot make poisons it. Behind the
//! journal both faults are the same small thing: open the engine again and apply the frames that it
//! may lack. The road not taken, an fdatasync of sled's own file in each commit, costs half as much
//! again for each entry, and leaves nobody to say what sled has lost.

mod batch;
mod engine;
mod frame;
mod handle;
mod held;
mod journal;
mod open;
mod queue;
mod redb;
mod scribe;
mod sled;
mod status;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

pub use batch::{Batch, Op, Space};
pub use engine::{Engine, EngineError, Order, Pairs, Part, StoreKind};
pub use handle::{Counts, Store, StoreOptions};
pub use journal::FILE_BYTES;
pub use status::StorageStatus;

/// Why the store did not do what was asked; each says what to do.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process has it: stop that one.
    #[error("the store in {dir} is in use by another process; stop it first")]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// It is damaged where no torn write can explain it.
    #[error("the store is damaged: {place}; {advice}")]
    Damaged {
        /// Where, and what is there.
        place: String,
        /// What to do.
        advice: &'static str,
    },
    /// The batch is more than one frame holds: split it.
    #[error("a batch of {bytes} bytes is more than {max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What fits.
        max: usize,
    },
    /// The disk refuses and the engine is being opened again: try later.
    #[error("the store cannot be read before the disk takes writes again: {why}")]
    Refusing {
        /// What the disk answered.
        why: String,
    },
    /// It is closed, or was closed before this became durable.
    #[error("the store is closed")]
    Closed,
    /// The disk or the system refused.
    #[error("cannot {what}")]
    Failed {
        /// What was tried.
        what: &'static str,
        /// What came back.
        source: io::Error,
    },
}

/// What to do about a damaged store.
pub(crate) const ADVICE: &str = "stop the node, keep a copy of its data folder, and restore the \
     newest backup or let the node join again with an empty folder";

impl StoreError {
    fn failed(what: &'static str, source: io::Error) -> Self {
        Self::Failed { what, source }
    }
}

fn damaged(place: String) -> StoreError {
    StoreError::Damaged {
        place,
        advice: ADVICE,
    }
}
