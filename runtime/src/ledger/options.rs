//! How a ledger is opened and what it answers when it cannot do what is asked.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use rules::id::NodeId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::judge::{Judge, NoJudge};
pub use crate::store::StoreKind;

/// What bounds a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Proposals that are under way at once; more are refused at the door.
    pub in_flight: usize,
    /// How long a proposal is waited for before its outcome is called unknown, in milliseconds.
    pub propose_ms: u64,
    /// Free bytes of the disk below which proposals are refused, so that what was already taken in
    /// and the snapshot that makes room still fit.
    pub free_bytes: u64,
    /// Closed cases kept in the archive; the oldest are forgotten first.
    pub archived_cases: u64,
    /// How long after its end a closed case is kept, in milliseconds; none is for ever.
    pub archived_ms: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Four times the clients of the heaviest figure; at 16 KiB each it is 16 MiB.
            in_flight: 1024,
            // Ten times the slowest disk's fdatasync under load.
            propose_ms: 5_000,
            // A snapshot of a large state and the log that grows meanwhile.
            free_bytes: 64 * 1024 * 1024,
            // Ten years of a hundred cases a day, rounded up; about 4 KiB each.
            archived_cases: 1_000_000,
            archived_ms: None,
        }
    }
}

/// How a ledger is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The folder that holds it; made when it is not there.
    pub dir: PathBuf,
    /// The folder of its records; made when it is not there.
    pub audit: PathBuf,
    /// The node whose ledger it is.
    pub node: NodeId,
    /// The store.
    pub store: StoreKind,
    /// What each of the two files of the store's journal takes; a ledger keeps what it was made with.
    pub journal_bytes: usize,
    /// Entries between two snapshots; what a snapshot covers is taken out of the log.
    pub snapshot_every: u64,
    /// Entries behind a snapshot that stay in the log, for a peer that is a little behind.
    pub kept_entries: u64,
    /// A leader says so often that it is there, in milliseconds.
    pub heartbeat_ms: u64,
    /// Who hears nothing for a time drawn from this range calls an election, in milliseconds.
    pub election_ms: Range<u64>,
    /// What bounds it.
    pub limits: Limits,
    /// Who decides what may be asked.
    pub judge: Arc<dyn Judge>,
}

impl OpenOptions {
    /// The defaults: sled, a snapshot every 50,000 entries, and nobody who allows anything.
    pub fn new(dir: impl Into<PathBuf>, node: NodeId) -> Self {
        let dir = dir.into();
        Self {
            audit: dir.join("audit"),
            dir,
            node,
            store: StoreKind::default(),
            journal_bytes: crate::store::FILE_BYTES,
            // Replaying so many takes well under a second.
            snapshot_every: 50_000,
            // What a peer lacks that was away for some seconds under load.
            kept_entries: 1000,
            heartbeat_ms: 100,
            // Several heartbeats, and a slow disk.
            election_ms: 500..1000,
            limits: Limits::default(),
            judge: Arc::new(NoJudge),
        }
    }
}

/// Why a ledger could not be opened; each says what to do.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the ledger in {dir} is in use by another process; stop it first")]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// It is damaged where no torn write can explain it.
    #[error("the ledger is damaged: {place}; {advice}")]
    Damaged {
        /// Where, and what is there.
        place: String,
        /// What to do.
        advice: String,
    },
    /// It was to go on alone, and that broke off.
    #[error(
        "going on with this node alone was begun and broke off; end it with \
         `domo cluster recover --accept-loss`"
    )]
    HalfRecovered,
    /// It belongs to another node.
    #[error("the ledger in {dir} belongs to node {found}, not to {expected}")]
    OtherNode {
        /// The folder.
        dir: PathBuf,
        /// Whose it is.
        found: NodeId,
        /// Whose it should be.
        expected: NodeId,
    },
    /// The disk or the system refused.
    #[error("cannot {what}")]
    Failed {
        /// What was tried.
        what: &'static str,
        /// What came back.
        source: std::io::Error,
    },
}

/// Why a proposal has no verdict; each is named after what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum ProposeError {
    /// Too many are under way: try again in a moment. It did not happen.
    #[error("limit in_flight = {limit} is reached; try again in a moment")]
    Full {
        /// The limit.
        limit: usize,
    },
    /// It is too large for an entry: hand the bytes over as a blob. It did not happen.
    #[error("the command has {bytes} bytes, more than {max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What fits.
        max: usize,
    },
    /// The disk is full: make room; nothing has to be restarted. It did not happen.
    #[error("the disk is full: {free_bytes} bytes are free, {needed_bytes} are needed")]
    DiskFull {
        /// What is free.
        free_bytes: u64,
        /// What must be free before writing goes on.
        needed_bytes: u64,
    },
    /// The disk takes no writes: look at it; writing goes on by itself once it can. It did not happen.
    #[error("the disk takes no writes: {why}")]
    ReadOnly {
        /// What the disk answered.
        why: String,
    },
    /// Files that it names are on too few nodes: try again when more voters can be reached. It did
    /// not happen.
    #[error("what it names cannot be brought to a majority of the voters: {why}")]
    NotSpread {
        /// What stands in the way.
        why: String,
    },
    /// Another node leads, or none does: ask it, or try again. It did not happen.
    #[error("this node does not lead the ledger")]
    NoLeader {
        /// Who does, as far as is known.
        leader: Option<NodeId>,
    },
    /// It may or may not happen: repeat it under the same request id.
    #[error("the outcome is unknown; repeat it under the same request id")]
    Unknown,
    /// The ledger is closed, or being closed. It did not happen.
    #[error("the ledger is stopped")]
    Stopped,
}
