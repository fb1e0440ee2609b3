//! Copying the archive from one node to another: pairs of the store, as they are, in their order.
//!
//! # Invariant
//! A case that can be found is whole: its pieces are copied before its summary, its summary before
//! its place among its team's.
//!
//! # Why
//! A node that was away so long that it was given a snapshot has not seen the entries that closed
//! the cases before it. Pairs and not cases are copied, since a case may be larger than a call.

use rules::case::Case;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::holdings::Holdings;
use super::{Archive, ArchiveError, Standing, locked, record};
use crate::codec::CodecError;
use crate::store::{Batch, Order, Space, StoreError};

/// Pairs that are read at once; the largest is a piece of a case.
const PAIRS: usize = 64;
/// Cases out of a backup that may be on their way to the disk: some MiB of memory.
const UNWAITED: u64 = 256;

/// Which part of the archive; in the order in which they are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// The pieces of cases.
    Pieces,
    /// What lists say of each.
    Summaries,
    /// Which are whose.
    Teams,
    /// Posts of rooms.
    Posts,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 4] = [Self::Pieces, Self::Summaries, Self::Teams, Self::Posts];

    fn space(self) -> Space {
        match self {
            Self::Pieces => Space::Case,
            Self::Summaries => Space::Summary,
            Self::Teams => Space::Team,
            Self::Posts => Space::Post,
        }
    }

    /// The number of the case that a key puts on a list; 0 for that of a piece.
    fn case_of(self, key: &[u8]) -> u64 {
        match self {
            Self::Summaries | Self::Teams => record::id_at_end(key).0,
            Self::Pieces | Self::Posts => 0,
        }
    }

    /// The number of the post that a key holds; 0 for another part's.
    fn post_of(self, key: &[u8]) -> u64 {
        match self {
            Self::Posts => record::id_at_end(key).0,
            Self::Pieces | Self::Summaries | Self::Teams => 0,
        }
    }
}

/// Some pairs of a part, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pairs {
    pub pairs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether nothing comes after them.
    pub is_end: bool,
}

impl Archive {
    /// The pairs of a part behind a key, at least one and else at most `limit_bytes` of them.
    pub(crate) fn pairs(
        &self,
        part: Part,
        after: &[u8],
        limit_bytes: usize,
    ) -> Result<Pairs, ArchiveError> {
        let mut from = after.to_vec();
        if !after.is_empty() {
            // The smallest key that is greater.
            from.push(0);
        }
        let read = self
            .store
            .range(part.space(), &from, None, Order::Ascending, PAIRS)?;
        let mut taken = Pairs {
            is_end: read.len() < PAIRS,
            ..Pairs::default()
        };
        let mut bytes = 0;
        for (key, value) in read {
            bytes += key.len() + value.len();
            if bytes > limit_bytes && !taken.pairs.is_empty() {
                taken.is_end = false;
                break;
            }
            taken.pairs.push((key, value));
        }
        Ok(taken)
    }

    /// Takes pairs in that another node has; they are durable when this returns.
    pub(crate) async fn take_pairs(&self, part: Part, pairs: Pairs) -> Result<(), ArchiveError> {
        let durable = {
            let mut kept = locked(&self.standing);
            let mut standing = *kept;
            standing.is_copying = true;
            let mut batch = Batch::default();
            for (key, value) in pairs.pairs {
                standing.copied_to = standing.copied_to.max(part.case_of(&key));
                standing.posts_copied_to = standing.posts_copied_to.max(part.post_of(&key));
                batch.put(part.space(), key, value);
            }
            put_standing(&mut batch, &standing)?;
            let (told, durable) = oneshot::channel();
            self.store
                .submit(batch, move |result| drop(told.send(result)))?;
            *kept = standing;
            durable
        };
        durable.await.unwrap_or(Err(StoreError::Closed))?;
        Ok(())
    }

    /// Takes a closed case out of a backup in; durable once [`Archive::settle`] has returned. Blocks.
    pub fn take_case(&self, case: &Case) -> Result<(), ArchiveError> {
        let unwritten = |error: CodecError| record::damaged(case.id, error.to_string());
        let (pieces, mut last) = record::put(case).map_err(unwritten)?;
        let mut kept = locked(&self.standing);
        let mut standing = *kept;
        standing.count += 1;
        standing.holdings.add(&last);
        put_standing(&mut last, &standing)?;
        for batch in pieces {
            self.store.submit_later(batch, |_| ())?;
        }
        if standing.count.is_multiple_of(UNWAITED) {
            self.store.commit_now(last)?;
        } else {
            self.store.submit_later(last, |_| ())?;
        }
        *kept = standing;
        Ok(())
    }

    /// Waits until all that was handed over is durable. Blocks.
    pub fn flush(&self) -> Result<(), ArchiveError> {
        Ok(self.store.commit_now(Batch::default())?)
    }

    /// Says up to which entry the closed cases are all here, and waits until they are durable. Blocks.
    pub(crate) fn settle(&self, through: u64) -> Result<(), ArchiveError> {
        let mut kept = locked(&self.standing);
        let standing = Standing {
            through,
            of_next: 0,
            ..*kept
        };
        let mut batch = Batch::default();
        put_standing(&mut batch, &standing)?;
        self.store.commit_now(batch)?;
        *kept = standing;
        Ok(())
    }

    /// Counts the cases anew, after pairs were taken in. Blocks on the disk.
    pub(crate) fn recount(&self) -> Result<(), ArchiveError> {
        let mut kept = self.settled()?;
        let (count, holdings) = Holdings::found(&self.store)?;
        let counted = Standing {
            count,
            holdings,
            is_copying: false,
            ..*kept
        };
        let mut batch = Batch::default();
        put_standing(&mut batch, &counted)?;
        self.store.submit(batch, |_| ())?;
        *kept = counted;
        Ok(())
    }
}

pub(super) fn put_standing(batch: &mut Batch, standing: &Standing) -> Result<(), ArchiveError> {
    record::put_standing(batch, standing).map_err(|error| ArchiveError::Unreadable {
        why: error.to_string(),
    })
}
