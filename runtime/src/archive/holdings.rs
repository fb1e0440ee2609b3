//! What the archive must hold: a sum over the closed cases' summaries, one over their teams' lists,
//! and one over the posts.
//!
//! # Why
//! An engine whose file is damaged may go on as if a part of it had never been written, or had never
//! been deleted. Each summary is sealed, so none can be wrong; the sums say that none is missing and
//! none is back. They are sums, so that a case that comes or goes costs one addition, and the order
//! in which the cases are found again does not matter.

use serde::{Deserialize, Serialize};

use super::{ArchiveError, CaseSummary, Standing, record};
use crate::codec;
use crate::store::{Batch, Op, Order, Space, Store};

/// What is read in one go.
const PAGE: usize = 4096;

/// The sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holdings {
    summaries: u64,
    teams: u64,
    posts: u64,
    post_count: u64,
}

impl Holdings {
    /// Counts in what a batch puts there.
    pub fn add(&mut self, batch: &Batch) {
        for op in batch.ops() {
            if let Op::Put(space, key, value) = op {
                self.add_one(*space, key, value);
            }
        }
    }

    /// How many posts there are.
    pub fn post_count(&self) -> u64 {
        self.post_count
    }

    fn add_one(&mut self, space: Space, key: &[u8], value: &[u8]) {
        self.post_count += u64::from(space == Space::Post);
        if let Some(sum) = self.sum_of(space) {
            *sum = sum.wrapping_add(weight(key, value));
        }
    }

    /// Counts out a post that another takes the place of.
    pub fn remove_post(&mut self, key: &[u8], value: &[u8]) {
        self.post_count -= 1;
        self.posts = self.posts.wrapping_sub(weight(key, value));
    }

    /// Counts out a case that is taken away.
    pub fn remove(&mut self, case: &CaseSummary) -> Result<(), ArchiveError> {
        let mut batch = Batch::default();
        let listed = record::put_summary(&mut batch, case);
        listed.map_err(|error| record::damaged(case.id, error.to_string()))?;
        for op in batch.ops() {
            if let Op::Put(space, key, value) = op
                && let Some(sum) = self.sum_of(*space)
            {
                *sum = sum.wrapping_sub(weight(key, value));
            }
        }
        Ok(())
    }

    fn sum_of(&mut self, space: Space) -> Option<&mut u64> {
        match space {
            Space::Summary => Some(&mut self.summaries),
            Space::Team => Some(&mut self.teams),
            Space::Post => Some(&mut self.posts),
            Space::Store | Space::Meta | Space::Log | Space::Case => None,
        }
    }

    /// How many cases there are in the store, and their sums. Reads all of them.
    pub fn found(store: &Store) -> Result<(u64, Self), ArchiveError> {
        let (mut count, mut found) = (0, Self::default());
        for space in [Space::Summary, Space::Team, Space::Post] {
            let mut from = Vec::new();
            loop {
                let pairs = store.range(space, &from, None, Order::Ascending, PAGE)?;
                let Some((last, _)) = pairs.last() else { break };
                from = [last.as_slice(), &[0]].concat();
                for (key, value) in &pairs {
                    count += u64::from(space == Space::Summary);
                    found.add_one(space, key, value);
                }
            }
        }
        Ok((count, found))
    }

    /// What to say when it is these that were found.
    pub fn is_not(self, count: u64, expected: &Standing) -> ArchiveError {
        let told = |count: u64, sums: Self| {
            let Self {
                summaries,
                teams,
                posts,
                post_count,
            } = sums;
            format!(
                "{count} closed cases (sums {summaries:x} and {teams:x}) and {post_count} posts (sum {posts:x})"
            )
        };
        ArchiveError::Incomplete {
            found: told(count, self),
            expected: told(expected.count, expected.holdings),
        }
    }
}

fn weight(key: &[u8], value: &[u8]) -> u64 {
    u64::from(codec::checksum(&[key, value]))
}
