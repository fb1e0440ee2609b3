//! Closed cases and posts that this node lacks: copied from whoever has them.
//!
//! # Invariant
//! A snapshot that comes while it is copied is not forgotten: the doubt is laid aside before anybody
//! looks, and what comes meanwhile raises it again.
//!
//! # Why
//! A snapshot jumps over the entries that closed cases, and does not hold those. Whoever leads is asked
//! first; but a node may come to lead before it has copied anything, and then the others have more.

use std::sync::Arc;
use std::time::Duration;

use rules::id::NodeId;

use super::Inner;
use super::network::{NotHeard, PeerAnswer, PeerCall, ask};
use crate::archive::{Pairs, Part};
use crate::world;

/// Longest wait for some of them.
const ARCHIVE_LIMIT: Duration = Duration::from_secs(10);

/// How often what was copied is counted again where the disk was too slow for it.
const RECOUNTS: usize = 3;

impl Inner {
    /// The other nodes, whoever leads before all others: it is likely to have everything.
    pub(super) fn others(&self) -> Vec<NodeId> {
        let mut others: Vec<NodeId> = self.machine.read(|state| {
            let others = state.nodes.keys().copied();
            others.filter(|node| *node != self.node).collect()
        });
        let leader = self.status().leader;
        others.sort_by_key(|node| Some(*node) != leader);
        others
    }

    /// Copies from others' archives what this node lacks; says whether it has all that there is.
    pub(super) async fn fetch_archive(&self) -> Result<bool, NotHeard> {
        if !self.archive.is_in_doubt() {
            return Ok(true);
        }
        if self.status().leader.is_none() {
            return Ok(false);
        }
        self.archive.doubt(false);
        let fetched = self.fetch_what_is_lacking().await;
        if fetched.is_err() {
            self.archive.doubt(true);
        }
        fetched.map(|()| true)
    }

    async fn fetch_what_is_lacking(&self) -> Result<(), NotHeard> {
        let mut said = Ok(());
        let mut has_copied = false;
        for from in self.others() {
            if !self.lacks() {
                return Ok(());
            }
            match self.copy_archive(from).await {
                Ok(()) => has_copied = true,
                Err(error) => said = Err(error),
            }
        }
        // Fewer than were ever closed, where the others have forgotten the oldest; and one that is
        // away for good is not waited for.
        if has_copied || !self.lacks() {
            Ok(())
        } else {
            said
        }
    }

    fn lacks(&self) -> bool {
        let (closed, shelved) = self
            .machine
            .read(|state| (state.closed_cases, state.rooms.shelved));
        self.archive.is_copying()
            || self.archive.count() < closed.min(self.archived_cases)
            || self.archive.post_count() < shelved
    }

    async fn copy_archive(&self, from: NodeId) -> Result<(), NotHeard> {
        for part in Part::ALL {
            let mut after = Vec::new();
            loop {
                let call = PeerCall::Archive { part, after };
                let asked = ask(self.links.as_ref(), from, &call, ARCHIVE_LIMIT).await?;
                let PeerAnswer::Archive(pairs) = asked else {
                    return Err(NotHeard::Astray);
                };
                let Pairs { is_end, .. } = pairs;
                after = pairs
                    .pairs
                    .last()
                    .map(|(key, _)| key.clone())
                    .unwrap_or_default();
                let kept = self.archive.take_pairs(part, pairs).await;
                kept.map_err(|error| NotHeard::Kept(error.to_string()))?;
                if is_end {
                    break;
                }
            }
        }
        let archive = Arc::clone(&self.archive);
        // A slow disk costs another count, not another copy.
        let count = move || {
            let first = archive.recount();
            (0..RECOUNTS).fold(first, |counted, _| counted.or_else(|_| archive.recount()))
        };
        let counted = world::blocking(count).await;
        match counted {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(NotHeard::Kept(error.to_string())),
            Err(error) => return Err(NotHeard::Kept(error.to_string())),
        }
        // They come with texts that are erased here.
        self.erased.look_again();
        tracing::info!(%from, count = self.archive.count(), "closed cases were copied");
        Ok(())
    }
}
