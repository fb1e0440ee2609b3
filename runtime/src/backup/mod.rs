//! Backups: one file with all that a cluster knows at one entry, made while it runs.
//!
//! ```text
//! head │ state: piece … │ case: piece … │ … │ posts: piece … │ … │ blob: piece … │ … │ records: piece … │ … │ end   each in its envelope
//! ```
//!
//! # Invariant
//! A file is taken for a backup only when it is whole to its last byte: each envelope has its own
//! checksum, and the end carries a digest over all before it. The state, the closed cases, the
//! posts and the blobs are those of one entry.
//!
//! # Why
//! The state is pictured first; a case that is open in it, or has no number in it yet, was closed
//! later and is left out, so nothing has to stand still while the rest is read. One file and not a
//! copy of the folder: a folder that is written to is never consistent, and holds keys.

mod read;
mod restore;
mod take;
#[cfg(test)]
mod tests;
mod write;

use std::io;
use std::path::PathBuf;

use rules::id::{BlobRef, CaseId, NodeId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use read::{Taker, check, read};
pub use restore::restore;
pub use take::take;

use crate::archive::ArchiveError;
use crate::blob::BlobError;
use crate::codec::CodecError;
use crate::ledger::OpenError;

/// What is checked at once, and what travels at once.
const PIECE_BYTES: usize = 256 * 1024;
/// The largest state: as in a snapshot.
const MAX_STATE_BYTES: u64 = 2 << 30;
/// The largest closed case: a summary and a document of each of thousands of attempts fit.
const MAX_CASE_BYTES: u64 = 1 << 30;

/// The most posts at once: each with the longest text and as many attachments as may be.
const MAX_POSTS_BYTES: u64 = 128 << 20;
/// The most lines of the record at once: a line more than what is asked for.
const MAX_RECORDS_BYTES: u64 = 2 << 20;

/// What a backup is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The cluster.
    pub cluster: String,
    /// The last entry that is in it.
    pub index: u64,
    /// That entry's term.
    pub term: u64,
    /// When it was made, for people to read.
    pub taken_wall_ms: u64,
    /// The release of the daemon that made it.
    pub release: String,
    /// The forms of the state and of a case in it.
    forms: [u8; 2],
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Item {
    /// The state, of so many bytes.
    State(u64),
    /// A closed case, of so many bytes.
    Case(CaseId, u64),
    /// A blob.
    Blob(BlobRef),
    /// A blob that is named and that no node had, or only damaged.
    Missing(BlobRef),
    /// Nothing: all was written.
    End(End),
    /// Nothing: it could not be finished, for this reason.
    Broken(String),
    /// Lines of the record of who asked what, of so many bytes.
    Records(u64),
    /// Posts that have left the state, of so many bytes.
    Posts(u64),
}

/// What all of it must come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    cases: u64,
    blobs: u64,
    sha256: [u8; 32],
}

/// What a whole backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// What it is of.
    pub head: Head,
    /// The number that the cluster's next node would have.
    pub next_node: NodeId,
    /// Teams.
    pub teams: u64,
    /// Open cases.
    pub open_cases: u64,
    /// The state's size.
    pub state_bytes: u64,
    /// Closed cases.
    pub closed_cases: u64,
    /// Posts that have left the state.
    pub posts: u64,
    /// Blobs.
    pub blobs: u64,
    /// Their size together.
    pub blob_bytes: u64,
    /// Blobs that are named and are not in it.
    pub missing: Vec<BlobRef>,
    /// The whole file's size.
    pub bytes: u64,
}

/// Why there is no backup, or none that can be used.
#[derive(Debug, Error)]
pub enum BackupError {
    /// It is no backup: name another file.
    #[error("{path} is no backup: {why}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it begins with.
        why: CodecError,
    },
    /// Another release made it: use that one.
    #[error("{path} was made by release {release}, which writes another form; use that release")]
    Version {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        release: String,
    },
    /// It is damaged: take another backup.
    #[error("{path} is damaged at byte {at}: {why}; take another backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        at: u64,
        /// What is wrong there.
        why: String,
    },
    /// It ends too early: have it made again.
    #[error("{path} is not whole: {why}; have it made again")]
    Unfinished {
        /// The file.
        path: PathBuf,
        /// Why it ends there.
        why: String,
    },
    /// This node still lacks closed cases or posts: ask another node, or this one later.
    #[error("this node has {has} of {wants} {what} so far; ask another node, or this one later")]
    Lacking {
        /// What it lacks some of.
        what: &'static str,
        /// How many it has.
        has: u64,
        /// How many there must be.
        wants: u64,
    },
    /// Nobody reads it any more.
    #[error("whoever asked for the backup has gone")]
    Unread,
    /// What the node holds cannot be read.
    #[error("the node cannot read what it holds")]
    Archive(#[from] ArchiveError),
    /// The new ledger cannot be written.
    #[error("the ledger cannot be written")]
    Ledger(#[from] OpenError),
    /// Its blobs cannot be kept.
    #[error("a blob cannot be kept")]
    Blob(#[from] BlobError),
    /// What is read cannot be taken in.
    #[error("cannot {what}")]
    Failed {
        /// What was tried.
        what: String,
        /// What came back.
        source: io::Error,
    },
}

/// The forms that this release writes and reads.
fn forms() -> [u8; 2] {
    [
        crate::codec::SNAPSHOT_PIECE.version,
        crate::codec::CASE_PIECE.version,
    ]
}

fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> BackupError {
    let what = what.into();
    move |source| BackupError::Failed { what, source }
}
