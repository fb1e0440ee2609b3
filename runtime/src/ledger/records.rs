//! The records of a ledger: written while nobody waits, and brought from other nodes where a snapshot
//! has jumped over them.
//!
//! # Invariant
//! Records from elsewhere are kept only when they lead from the head before the gap to the one after
//! it, which this node's own state knows.

use std::sync::{Arc, Weak};
use std::time::Duration;

use rules::id::NodeId;
use tokio::sync::watch;

use super::Inner;
use super::network::{NotHeard, PeerAnswer, PeerCall, ask};
use crate::audit::{Batch, Gap, SEGMENT_BYTES};
use crate::world::{self, sleep, timeout};

/// Bytes of records that are handed to another node at once: a call's worth.
const RECORD_BYTES: usize = 512 * 1024;
/// Longest wait for some of them.
const RECORDS_LIMIT: Duration = Duration::from_secs(10);
/// How long records stay in memory when few come.
const WRITE_EVERY: Duration = Duration::from_millis(500);
/// How long a gap that nobody could fill is left alone.
const FILL_AGAIN: Duration = Duration::from_secs(5);
/// How long the task sleeps at most before it looks whether its ledger is still there.
const LOOK: Duration = Duration::from_mins(1);

/// Writes records, and fills gaps.
pub(super) async fn keep(ledger: Weak<Inner>, mut applied: watch::Receiver<u64>) {
    loop {
        let Some(inner) = ledger.upgrade() else {
            return;
        };
        applied.borrow_and_update();
        let audit = Arc::clone(&inner.audit);
        let looked = world::blocking(move || {
            audit.flush();
            audit.gap()
        });
        let Ok(gap) = looked.await else { return };
        let wait = match gap {
            None => WRITE_EVERY,
            Some(gap) => match inner.fill(&gap).await {
                Ok(true) => Duration::ZERO,
                Ok(false) => FILL_AGAIN,
                Err(error) => {
                    tracing::debug!(?gap, "records are not filled in for now: {error}");
                    FILL_AGAIN
                }
            },
        };
        drop(inner);
        sleep(wait).await;
        if wait == WRITE_EVERY && matches!(timeout(LOOK, applied.changed()).await, Ok(Err(_))) {
            return;
        }
    }
}

impl Inner {
    /// Fills a gap, or some of it, from the others; says whether something came.
    async fn fill(&self, gap: &Gap) -> Result<bool, NotHeard> {
        for from in self.others() {
            match self.fill_from(from, gap).await {
                Ok(true) => {
                    // They come with their salts.
                    self.erased.look_again();
                    tracing::info!(after = gap.after, %from, "records were filled in");
                    return Ok(true);
                }
                Ok(false) => tracing::debug!(%from, "it has no records that fit"),
                Err(error) => tracing::debug!(%from, "no records from there: {error}"),
            }
        }
        Ok(false)
    }

    async fn fill_from(&self, from: NodeId, gap: &Gap) -> Result<bool, NotHeard> {
        let (mut batches, mut after, mut bytes) = (Vec::new(), gap.after, 0);
        let mut begins = None;
        // A file's worth at once: what is there is kept when the next does not come.
        while after < gap.until && bytes < SEGMENT_BYTES {
            let call = PeerCall::Records { after };
            let asked = ask(self.links.as_ref(), from, &call, RECORDS_LIMIT).await?;
            let PeerAnswer::Records(batch) = asked else {
                return Err(NotHeard::Astray);
            };
            if batch.lines.is_empty() {
                begins = batch.begins;
                break;
            }
            after += batch.lines.lines().count() as u64;
            bytes += batch.lines.len() as u64;
            batches.push(batch);
        }
        let (audit, gap) = (Arc::clone(&self.audit), gap.clone());
        let filled = world::blocking(move || match begins {
            // Older ones are in an archive, and on no node.
            Some(word) if batches.is_empty() => audit.begin_at(&word),
            Some(_) | None => audit.fill(&gap, &batches),
        });
        let filled = filled.await;
        match filled {
            Ok(Ok(is_filled)) => Ok(is_filled),
            Ok(Err(error)) => Err(NotHeard::Kept(error.to_string())),
            Err(error) => Err(NotHeard::Kept(error.to_string())),
        }
    }

    /// What another node is given behind a record.
    pub(super) async fn records_after(&self, after: u64) -> PeerAnswer {
        let audit = Arc::clone(&self.audit);
        let read = world::blocking(move || audit.lines_after(after, RECORD_BYTES));
        match read.await {
            Ok(Ok(batch)) => PeerAnswer::Records(batch),
            Ok(Err(error)) => {
                tracing::warn!("records cannot be handed on: {error}");
                PeerAnswer::Records(Batch::default())
            }
            Err(_) => PeerAnswer::Stopped,
        }
    }
}
