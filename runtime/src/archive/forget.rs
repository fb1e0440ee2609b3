//! Closed cases that are more than are kept, or older: the smallest numbers go first.
//!
//! # Why
//! One that is too old waits for a smaller number that is not: cases of one time have numbers of one
//! time, and to look for the others would be a walk through all of them.

use super::{Archive, ArchiveError, CaseSummary, Filter, locked, record};
use crate::clock;
use crate::store::Batch;

/// Cases that are forgotten in one batch.
const FORGET: usize = 64;
/// A day.
const DAY_MS: u64 = 24 * 3_600_000;

impl Archive {
    /// Forgets the oldest cases until at most `keep` are left, and none before them that was closed
    /// more than `age_ms` ago, where that is bounded; says how many it forgot. Blocks.
    pub(crate) fn forget(&self, keep: u64, age_ms: Option<u64>) -> Result<u64, ArchiveError> {
        let mut forgotten = 0;
        loop {
            let until_ms = self.oldest_kept_ms(age_ms)?;
            let count = {
                // An erasure on its way to the disk is to be seen: what it left is what goes.
                let mut kept = self.settled()?;
                let mut standing = *kept;
                let surplus = usize::try_from(standing.count.saturating_sub(keep));
                let surplus = surplus.unwrap_or(FORGET);
                let mut oldest = record::oldest(&self.store, FORGET)?;
                let is_old = |case: &CaseSummary| case.closed_wall_ms < until_ms;
                let old = oldest.iter().take_while(|case| is_old(case)).count();
                oldest.truncate(surplus.max(old));
                if oldest.is_empty() {
                    break;
                }
                standing.count = standing.count.saturating_sub(oldest.len() as u64);
                let mut batch = Batch::default();
                for case in &oldest {
                    standing.holdings.remove(case)?;
                    record::delete(&mut batch, case);
                }
                record::put_standing(&mut batch, &standing).map_err(|error| {
                    ArchiveError::Unreadable {
                        why: error.to_string(),
                    }
                })?;
                // Handed over under the lock: standings reach the store in their order.
                self.store.submit(batch, |_| ())?;
                *kept = standing;
                let last = oldest.last().map(|case| case.id);
                locked(&self.recent).forget(|case| last.is_some_and(|last| case <= last));
                oldest.len() as u64
            };
            self.flush()?;
            forgotten += count;
        }
        Ok(forgotten)
    }

    /// When a case must have been closed at least to stay: by the clock of this node, or by the newest
    /// case where that clock is ahead of it by more than a day, so that a clock which is wrong by years
    /// forgets nothing that the cluster's own cases do not bear out.
    fn oldest_kept_ms(&self, age_ms: Option<u64>) -> Result<u64, ArchiveError> {
        let Some(age_ms) = age_ms else { return Ok(0) };
        let newest = self.list(&Filter::default(), 1)?;
        let newest_ms = newest.first().map_or(0, |case| case.closed_wall_ms);
        let now_ms = clock::wall().0.min(newest_ms.saturating_add(DAY_MS));
        Ok(now_ms.saturating_sub(age_ms))
    }
}
