//! How a ledger is doing, for people and for those who decide whether to ask it.

use std::collections::BTreeSet;

use rules::id::NodeId;

pub use crate::store::StorageStatus;

/// How a ledger is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerStatus {
    /// The present term.
    pub term: u64,
    /// Who leads, as far as this node knows.
    pub leader: Option<NodeId>,
    /// Whether this node believes that it leads; no effect may rest on it.
    pub is_leader: bool,
    /// Who votes.
    pub voters: BTreeSet<NodeId>,
    /// The last entry that was applied here.
    pub applied: u64,
    /// The last entry that is known to be committed.
    pub committed: u64,
    /// Whether a change of who votes is under way, which needs the quorums of before and after.
    pub is_changing: bool,
    /// The last entry that was cut off the log's beginning, which a snapshot covers; 0 for none.
    pub purged: u64,
    /// The last entry of the log.
    pub last_log: u64,
    /// The last entry that the newest snapshot covers; 0 without one.
    pub snapshot_index: u64,
    /// What the store takes on the disk.
    pub log_bytes: u64,
    /// How often the store has waited for the disk (fdatasync) since it was opened.
    pub syncs: u64,
    /// Whether the disk takes what is written.
    pub storage: StorageStatus,
}

impl LedgerStatus {
    /// Whether leader, voters and disk are as they were; the counts may differ.
    pub(super) fn stands_as(&self, other: &Self) -> bool {
        let standing = |status: &Self| (status.term, status.leader, status.is_changing);
        standing(self) == standing(other)
            && self.voters == other.voters
            && self.storage == other.storage
    }
}
