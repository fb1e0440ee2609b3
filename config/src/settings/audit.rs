//! `[audit]`: where the node's records are archived, and how long they stay here after that.

use std::path::PathBuf;

use super::keys::Keys;

const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;
const SECOND_MS: u64 = 1_000;
const DAY_MS: u64 = 24 * 3_600 * SECOND_MS;
/// The kernel's own limit for a path.
const LONGEST_PATH_BYTES: usize = 4096;

/// The settings of `[audit]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSettings {
    /// The archive's folder; `None`: nothing is archived, and nothing is ever removed.
    pub archive: Option<PathBuf>,
    /// How long records stay here once they are archived.
    pub keep_ms: u64,
    /// How much of them stays here at most.
    pub keep_bytes: u64,
}

impl AuditSettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        let archive = keys.text("audit.archive", LONGEST_PATH_BYTES);
        if !archive.is_empty() && !archive.starts_with('/') {
            let sentence = format!(
                "`audit.archive` is {}, which is no path from the root on",
                crate::mistake::shown(&archive)
            );
            keys.refuse("audit.archive", sentence);
        }
        Self {
            archive: (!archive.is_empty()).then(|| PathBuf::from(archive)),
            keep_ms: keys.ms("audit.keep_ms", SECOND_MS..=3_650 * DAY_MS),
            keep_bytes: keys.bytes("audit.keep_bytes", 16 * MIB..=TIB),
        }
    }
}
