//! What all blobs of a node take together, and how much that may be.
//!
//! # Why
//! Counted once, when somebody first asks, and kept up after that: a walk through all of them at each
//! put would cost more than the put. A blob that is put twice at the same moment is counted twice;
//! the next start counts anew.

use std::sync::{Mutex, PoisonError};

use super::BlobError;

/// The quota; none until it is bound.
#[derive(Debug, Default)]
pub(super) struct Quota(Mutex<Count>);

#[derive(Debug, Default)]
struct Count {
    limit_bytes: Option<u64>,
    used_bytes: Option<u64>,
}

impl Quota {
    /// Lets all of them take at most so much; 0 is no limit.
    pub fn bound(&self, limit_bytes: u64) {
        self.locked().limit_bytes = (limit_bytes > 0).then_some(limit_bytes);
    }

    /// What is used of the limit; none where there is none, or nobody has counted yet.
    pub fn used(&self) -> Option<(u64, u64)> {
        let kept = self.locked();
        kept.used_bytes.zip(kept.limit_bytes)
    }

    /// Takes so much of it, or refuses by the limit's name.
    pub fn take(
        &self,
        bytes: u64,
        count: impl FnOnce() -> Result<u64, BlobError>,
    ) -> Result<(), BlobError> {
        let mut kept = self.locked();
        let Some(limit_bytes) = kept.limit_bytes else {
            return Ok(());
        };
        let used = match kept.used_bytes {
            Some(used) => used,
            None => *kept.used_bytes.insert(count()?),
        };
        let used = used.saturating_add(bytes);
        if used > limit_bytes {
            return Err(BlobError::OverQuota { limit_bytes });
        }
        kept.used_bytes = Some(used);
        Ok(())
    }

    /// So much is used no more.
    pub fn give_back(&self, bytes: u64) {
        let mut kept = self.locked();
        kept.used_bytes = kept.used_bytes.map(|used| used.saturating_sub(bytes));
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
