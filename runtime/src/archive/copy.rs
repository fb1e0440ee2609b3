//! Copying the archive from one node to another: pairs of the store, as they are, in their order.
//!
//! # Invariant
//! A case that can be found is whole: its pieces are copied before its summary, its summary before
//! its place among its team's.
//!
//! # Why
//! A node that was away so long that it was given a snapshot has not seen the entries that closed
//! the cases before it. Pairs and not cases are copied, since a case may be larger than a call.

use serde::{Deserialize, Serialize};

use super::{Archive, ArchiveError, Standing, locked, record};
use crate::store::{Batch, Order, Space, StoreError};

/// Pairs that are read at once; the largest is a piece of a case.
const PAIRS: usize = 64;
/// Summaries that are counted at once.
const COUNTED: usize = 4096;

/// Which part of the archive; in the order in which they are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// The pieces of cases.
    Pieces,
    /// What lists say of each.
    Summaries,
    /// Which are whose.
    Teams,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 3] = [Self::Pieces, Self::Summaries, Self::Teams];

    fn space(self) -> Space {
        match self {
            Self::Pieces => Space::Case,
            Self::Summaries => Space::Summary,
            Self::Teams => Space::Team,
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
    pub(crate) async fn take_pairs(&self, part: Part, pairs: Pairs) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for (key, value) in pairs.pairs {
            batch.put(part.space(), key, value);
        }
        self.store.commit(batch).await
    }

    /// Counts the cases anew, after pairs were taken in. Blocks on the disk.
    pub(crate) fn recount(&self) -> Result<(), ArchiveError> {
        let mut standing = locked(&self.standing);
        let (mut count, mut from) = (0, Vec::new());
        loop {
            let page = self
                .store
                .range(Space::Summary, &from, None, Order::Ascending, COUNTED)?;
            count += page.len() as u64;
            match page.last() {
                Some((last, _)) if page.len() == COUNTED => {
                    from = [last.as_slice(), &[0]].concat();
                }
                Some(_) | None => break,
            }
        }
        let counted = Standing { count, ..*standing };
        let mut batch = Batch::default();
        record::put_standing(&mut batch, &counted).map_err(|error| ArchiveError::Unreadable {
            why: error.to_string(),
        })?;
        self.store.submit(batch, |_| ())?;
        *standing = counted;
        Ok(())
    }
}
