//! `[limits]`: what this node takes in; each limit is refused by its name at the door.
//!
//! # Invariant
//! None of these is read while an entry is applied: nodes with other settings still agree.

use super::keys::Keys;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const DAY_MS: u64 = 24 * 3_600_000;

/// The settings of `[limits]`; the reasons stand in the default file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// One attachment, result or artifact.
    pub blob_bytes: u64,
    /// All of one case.
    pub case_bytes: u64,
    /// Files attached to one case.
    pub attachments_per_case: usize,
    /// The text of a case.
    pub brief_bytes: u64,
    /// All blobs of the node; 0 is what the disk holds.
    pub blobs_bytes: u64,
    /// Closed cases that stay in the archive.
    pub archived_cases: usize,
    /// How long they stay; 0 is for ever.
    pub archived_ms: u64,
    /// What ended attempts may leave on the node.
    pub spools_bytes: u64,
    /// How long they leave it.
    pub spools_ms: u64,
    /// Commands that wait for the ledger.
    pub proposals_in_flight: usize,
    /// Open streams.
    pub streams: usize,
    /// Blobs that are being taken in.
    pub uploads: usize,
}

impl LimitSettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        Self {
            blob_bytes: keys.bytes("limits.blob_bytes", 64 * KIB..=GIB),
            case_bytes: keys.bytes("limits.case_bytes", 64 * KIB..=256 * MIB),
            attachments_per_case: keys.count("limits.attachments_per_case", 1..=1_000),
            brief_bytes: keys.bytes("limits.brief_bytes", KIB..=16 * MIB),
            blobs_bytes: keys.bytes("limits.blobs_bytes", 0..=1024 * TIB),
            archived_cases: keys.count("limits.archived_cases", 0..=10_000_000),
            archived_ms: keys.ms("limits.archived_ms", 0..=36_500 * DAY_MS),
            spools_bytes: keys.bytes("limits.spools_bytes", 64 * MIB..=1024 * TIB),
            spools_ms: keys.ms("limits.spools_ms", 0..=3_650 * DAY_MS),
            proposals_in_flight: keys.count("limits.proposals_in_flight", 1..=65_536),
            streams: keys.count("limits.streams", 1..=65_536),
            uploads: keys.count("limits.uploads", 1..=1024),
        }
    }
}
