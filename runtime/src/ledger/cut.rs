//! The log's beginning is cut off, and what that leaves in the store goes bit by bit.
//!
//! # Invariant
//! Where a snapshot from elsewhere goes beyond the log's end, the log goes on behind the snapshot, and
//! says so itself: consensus takes a cut that it was not told of for done, and what it appends next
//! would stand behind a hole.

use super::block::{self, LogFault};
use super::log::{Log, PURGED_KEY};
use super::raft::Place;
use crate::store::{Batch, Space, StoreError};
use crate::{codec, world};

/// Entries that are taken out of the store in one batch, so that none takes long.
const PURGE_ENTRIES: u64 = 1024;

impl Log {
    /// Cuts the beginning off; the blocks behind it go piece by piece, with what is appended next.
    ///
    /// # Errors
    /// When it must be cut and cannot: the store is closing. A log that could only be shorter stays as
    /// it is where the disk does not say what is to be kept of its beginning.
    pub(super) fn cut_beginning(&self, upto: Place) -> Result<(), LogFault> {
        let mut tail = self.tail();
        let is_beyond = tail.last.is_none_or(|last| last.index <= upto.index);
        let sum = if tail.last == Some(upto) {
            tail.last_sum
        } else if is_beyond {
            // There is no record to go on from.
            0
        } else {
            match self.sum_of(&tail, upto.index) {
                Ok(sum) => sum,
                Err(fault) => {
                    let why = std::io::Error::from(fault);
                    tracing::warn!("the log's beginning stays for now: {why}");
                    return Ok(());
                }
            }
        };
        let mut batch = Batch::default();
        let sealed = codec::encode(codec::PURGED, &(upto, sum))?;
        batch.put(Space::Meta, PURGED_KEY, sealed);
        if is_beyond {
            block::put_end(&mut batch, Some((upto, sum)))?;
        }
        self.store.submit_later(batch, |_| ())?;
        while tail.first_recent() <= upto.index {
            tail.forget_first();
        }
        (tail.purged, tail.purged_sum) = (Some(upto), sum);
        if is_beyond {
            (tail.last, tail.last_sum) = (Some(upto), sum);
        }
        drop(tail);
        let log = self.clone();
        // It reads, and reads wait until the engine has what is durable: consensus does not.
        world::blocking(move || log.condemn(upto.index + 1));
        Ok(())
    }

    /// Finds the blocks of which nothing is needed any more. Blocks.
    fn condemn(&self, next: u64) {
        // The block that holds the last of them may hold what comes behind it too.
        let found = block::first(&self.store)
            .and_then(|first| Ok((first, block::start_of(&self.store, next)?)));
        match found {
            Ok((Some(first), kept)) => self.tail().condemned = first..kept.unwrap_or(next),
            Ok((None, _)) => {}
            Err(error) => tracing::warn!("the log's beginning stays for now: {error}"),
        }
    }

    /// Takes the blocks that begin before `until` out of the store.
    pub(super) fn delete_blocks(&self, until: u64) -> Result<(), StoreError> {
        let mut from = block::first(&self.store)?.unwrap_or(until);
        while from < until {
            let to = until.min(from.saturating_add(PURGE_ENTRIES));
            let mut batch = Batch::default();
            batch.delete_range(Space::Log, block::key(from), block::key(to));
            self.store.submit(batch, |_| ())?;
            from = to;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use openraft::entry::RaftEntry as _;
    use openraft::storage::{IOFlushed, RaftLogStorage as _};
    use tempfile::TempDir;

    use super::*;
    use crate::ledger::door::UnderWay;
    use crate::ledger::raft::RaftEntry;
    use crate::store::{Store, StoreKind, StoreOptions};

    fn opened(dir: &TempDir) -> (Store, Log) {
        let options = StoreOptions {
            dir: dir.path().join("store"),
            kind: StoreKind::Sled,
            free_bytes: 0,
            journal_bytes: 1 << 20,
        };
        let store = Store::open(&options).unwrap();
        let log = Log::open(store.clone(), UnderWay::default(), |_, _| ()).unwrap();
        (store, log)
    }

    fn place(index: u64) -> Place {
        Place { term: 1, index }
    }

    async fn append(log: &mut Log, indexes: std::ops::Range<u64>) -> std::io::Result<()> {
        let entries = indexes.map(|index| RaftEntry::new_blank(place(index).log_id()));
        log.append(entries, IOFlushed::noop()).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_log_that_a_snapshot_went_beyond_goes_on_behind_it_also_after_a_restart() {
        let dir = TempDir::new().unwrap();
        let (store, mut log) = opened(&dir);
        append(&mut log, 0..3).await.unwrap();
        log.purge(place(20).log_id()).await.unwrap();
        append(&mut log, 21..24).await.unwrap();
        store.close();
        let (store, log) = opened(&dir);
        assert_eq!((log.begins(), log.tail().end()), (Some(20), 24));
        store.close();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_another_leader_overruled_is_gone_also_after_a_restart() {
        let dir = TempDir::new().unwrap();
        let (store, mut log) = opened(&dir);
        for index in 0..6 {
            append(&mut log, index..index + 1).await.unwrap();
        }
        log.truncate_after(Some(place(2).log_id())).await.unwrap();
        store.close();
        let (store, log) = opened(&dir);
        assert_eq!(log.tail().end(), 3);
        store.close();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_entry_that_would_leave_a_hole_is_refused_and_the_log_is_whole() {
        let dir = TempDir::new().unwrap();
        let (store, mut log) = opened(&dir);
        append(&mut log, 0..3).await.unwrap();
        let refused = append(&mut log, 5..6).await.unwrap_err();
        assert!(refused.to_string().contains("behind entry 3"), "{refused}");
        append(&mut log, 3..5).await.unwrap();
        store.close();
        let (store, log) = opened(&dir);
        assert_eq!(log.tail().end(), 5);
        store.close();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_cut_that_must_be_and_cannot_is_an_error_and_one_that_may_wait_is_none() {
        let dir = TempDir::new().unwrap();
        let (store, mut log) = opened(&dir);
        append(&mut log, 0..3).await.unwrap();
        store.close();
        log.purge(place(20).log_id()).await.unwrap_err();
        assert_eq!(log.begins(), None);
    }
}
