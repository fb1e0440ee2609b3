//! The log and the vote in the store, as consensus wants them.
//!
//! ```text
//! append ─► recent (readable at once) ─► store ─► durable: consensus is told
//! ```
//!
//! # Invariant
//! The records from the first to the last follow each other without a hole, each carrying the
//! checksum of the one before it; opening reads all of them and refuses anything else. Where the last
//! one is stands in a fact of the same batch: a log that lost its end is refused too.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{Stream, StreamExt as _, stream};
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader};

use super::block::{self, Blocks, LogFault};
use super::door::UnderWay;
use super::raft::{LogId, Place, RaftEntry, Record, StoredVote, Types, Vote};
use super::tail::Tail;
use crate::store::{Batch, Space, Store, StoreError};
use crate::{codec, world};

/// Entries that consensus gets in one go for a peer.
const SEND_ENTRIES: u64 = 256;
/// So many proposals at once are a crowd: one more sync for a few of them would hold up all.
const CROWD: usize = 16;
pub(super) const VOTE_KEY: &[u8] = b"vote";
pub(super) const PURGED_KEY: &[u8] = b"purged";

/// The log; clones are handles to the same one.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) store: Store,
    tail: Arc<Mutex<Tail>>,
    under_way: UnderWay,
}

impl Log {
    /// Opens the log that the store holds, showing each entry, and whether it was known to be
    /// committed, in order. Reads and checks every record. Blocks.
    pub fn open(
        store: Store,
        under_way: UnderWay,
        mut each: impl FnMut(&RaftEntry, bool),
    ) -> Result<Self, LogFault> {
        let mut tail = Tail::default();
        tail.vote = read_vote(&store)?;
        if let Some((purged, sum)) = read_purged(&store)? {
            (tail.purged, tail.purged_sum) = (Some(purged), sum);
            (tail.last, tail.last_sum) = (Some(purged), sum);
        }
        let from = tail.end();
        let committed = block::last(&store)?.map_or(0, |last| last.record.committed);
        let mut next = Some(block::start_of(&store, from)?.unwrap_or(0));
        let first_block = next.unwrap_or(0);
        while let Some(start) = next {
            let (records, more) = block::read(&store, start)?;
            for sealed in records {
                let index = sealed.record.place.index;
                if index < from {
                    continue;
                }
                each(tail.follow(sealed)?, index <= committed);
            }
            next = more;
        }
        tail.check_end(block::end(&store)?)?;
        tail.committed = committed;
        let log = Self {
            store,
            tail: Arc::new(Mutex::new(tail)),
            under_way,
        };
        // What a purge that was cut off has left.
        log.delete_blocks(first_block)?;
        Ok(log)
    }

    /// The last entry that was cut off at its beginning, if any was.
    pub fn begins(&self) -> Option<u64> {
        self.tail().purged.map(|purged| purged.index)
    }

    /// The term of the last vote, and the checksum of the last record.
    pub fn ends(&self) -> (u64, u32) {
        let tail = self.tail();
        (
            tail.vote.map_or(0, |vote| vote.leader_id.term),
            tail.last_sum,
        )
    }

    pub(super) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, from: u64, until: u64) -> io::Result<Vec<RaftEntry>> {
        let held = self.tail().recent_range(from, until);
        if let Some(entries) = held {
            return Ok(entries);
        }
        let store = self.store.clone();
        let reading = world::blocking(move || {
            let start = block::start_of(&store, from)?.unwrap_or(from);
            block::read(&store, start)
        });
        let (records, _) = reading.await??;
        let entries: Vec<RaftEntry> = block::entries(records)
            .filter(|entry| (from..until).contains(&entry.log_id.index()))
            .collect();
        let is_whole = (from..)
            .zip(&entries)
            .all(|(index, entry)| entry.log_id.index() == index);
        if entries.is_empty() || !is_whole {
            let what = format!("the log has a hole at or behind entry {from}");
            return Err(LogFault::Damaged(what).into());
        }
        Ok(entries)
    }

    pub(super) fn sum_of(&self, tail: &Tail, index: u64) -> Result<u32, LogFault> {
        if let Some(sum) = tail.recent_sum(index) {
            return Ok(sum);
        }
        if tail.purged.is_some_and(|purged| purged.index == index) {
            return Ok(tail.purged_sum);
        }
        let start = block::start_of(&self.store, index)?.unwrap_or(index);
        let (records, _) = block::read(&self.store, start)?;
        let found = records
            .iter()
            .find(|sealed| sealed.record.place.index == index);
        found
            .map(|sealed| sealed.sum)
            .ok_or_else(|| LogFault::Damaged(format!("entry {index} of the log is missing")))
    }
}

fn read_vote(store: &Store) -> Result<Option<Vote>, LogFault> {
    let Some(sealed) = store.get(Space::Meta, VOTE_KEY)? else {
        return Ok(None);
    };
    let vote: StoredVote = codec::decode(codec::VOTE, &sealed)
        .map_err(|error| LogFault::Damaged(format!("the vote is unreadable: {error}")))?;
    Ok(Some(vote.vote()))
}

/// The last entry that was cut off at the log's beginning, and its checksum.
fn read_purged(store: &Store) -> Result<Option<(Place, u32)>, LogFault> {
    let Some(sealed) = store.get(Space::Meta, PURGED_KEY)? else {
        return Ok(None);
    };
    codec::decode(codec::PURGED, &sealed)
        .map(Some)
        .map_err(|error| LogFault::Damaged(format!("the log's beginning is unreadable: {error}")))
}

fn bounds(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let from = match range.start_bound() {
        Bound::Included(from) => *from,
        Bound::Excluded(before) => before + 1,
        Bound::Unbounded => 0,
    };
    let until = match range.end_bound() {
        Bound::Included(last) => last + 1,
        Bound::Excluded(until) => *until,
        Bound::Unbounded => u64::MAX,
    };
    (from, until)
}

impl RaftLogReader<Types> for Log {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<RaftEntry>, io::Error> {
        let (from, until) = bounds(&range);
        let (begin, end) = {
            let tail = self.tail();
            (tail.purged.map_or(0, |purged| purged.index + 1), tail.end())
        };
        let (mut from, until) = (from.max(begin), until.min(end));
        let mut entries = Vec::new();
        while from < until {
            let more = self.read(from, until).await?;
            from += more.len() as u64;
            entries.extend(more);
        }
        Ok(entries)
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<RaftEntry>, io::Error> {
        let end = end.min(start + SEND_ENTRIES);
        self.try_get_log_entries(start..end).await
    }

    async fn entries_stream<RB>(
        &mut self,
        range: RB,
    ) -> impl Stream<Item = Result<RaftEntry, io::Error>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let (from, until) = bounds(&range);
        let chunks = stream::unfold((self.clone(), from), move |(log, from)| async move {
            if from >= until {
                return None;
            }
            let chunk: Vec<io::Result<RaftEntry>> = match log.read(from, until).await {
                Ok(entries) => entries.into_iter().map(Ok).collect(),
                Err(error) => return Some((vec![Err(error)], (log, until))),
            };
            let next = from + chunk.len() as u64;
            Some((chunk, (log, next)))
        });
        chunks.flat_map(stream::iter)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.tail().vote)
    }
}

impl RaftLogStorage<Types> for Log {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, io::Error> {
        let tail = self.tail();
        Ok(LogState {
            last_purged_log_id: tail.purged.map(Place::log_id),
            last_log_id: tail.last.map(Place::log_id),
        })
    }

    async fn get_log_reader(&mut self) -> Self::LogReader {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let sealed = codec::encode(codec::VOTE, &StoredVote::of(vote)).map_err(io::Error::other)?;
        let mut batch = Batch::default();
        batch.put(Space::Meta, VOTE_KEY, sealed);
        self.store.commit(batch).await.map_err(io::Error::other)?;
        self.tail().vote = Some(*vote);
        Ok(())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        // Goes to the disk with the next entry; until then the one before says a little less.
        if let Some(committed) = committed {
            let mut tail = self.tail();
            tail.committed = tail.committed.max(committed.index());
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        let (index, purged) = {
            let tail = self.tail();
            (
                tail.committed.min(tail.end().saturating_sub(1)),
                tail.purged,
            )
        };
        if let Some(purged) = purged.filter(|purged| index <= purged.index) {
            return Ok(Some(purged.log_id()));
        }
        if index == 0 {
            return Ok(None);
        }
        let entries = self.try_get_log_entries(index..=index).await?;
        Ok(entries.first().map(|entry| entry.log_id))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<Types>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = RaftEntry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        // Held until all is handed over: what is submitted stands in the order of the chain.
        let mut tail = self.tail();
        let is_durable = tail.begin_append();
        let (mut blocks, mut count) = (Blocks::of(&self.store), 0);
        for entry in entries {
            tail.check_follows(&entry)?;
            count += 1;
            let record = Record::of(&entry, tail.last_sum, tail.committed);
            let sealed = record.encode().map_err(io::Error::other)?;
            tail.push(entry, sealed.len(), codec::sum_of(&sealed));
            blocks
                .push(record.place, &sealed)
                .map_err(io::Error::other)?;
        }
        let mut batches = blocks.end().map_err(io::Error::other)?;
        let mut last = batches.pop().unwrap_or_default();
        let gone = tail.take_condemned(count);
        if !gone.is_empty() {
            last.delete_range(Space::Log, block::key(gone.start), block::key(gone.end));
        }
        for batch in batches {
            self.store.submit(batch, |_| ()).map_err(io::Error::other)?;
        }
        let then = |result: Result<(), StoreError>| {
            if result.is_ok() {
                is_durable();
            }
            callback.io_completed(result.map_err(io::Error::other));
        };
        let handed = self.store.submit_later(last, then);
        handed.map_err(io::Error::other)?;
        drop(tail);
        match self.under_way.count() {
            0 | 1 => self.store.write_here(),
            CROWD.. => self.store.gather(),
            _ => self.store.hurry(),
        }
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        let keep = last.as_ref().map(Place::of);
        let mut tail = self.tail();
        let (from, until) = (keep.map_or(0, |keep| keep.index + 1), tail.end());
        let mut batch = Batch::default();
        block::cut_end(&self.store, &mut batch, from, until)?;
        tail.forget_after(keep.map(|keep| keep.index));
        tail.last_sum = match keep {
            Some(keep) => self.sum_of(&tail, keep.index)?,
            None => 0,
        };
        tail.last = keep;
        block::put_end(&mut batch, tail.last_with_sum()).map_err(io::Error::other)?;
        self.store.submit(batch, |_| ()).map_err(io::Error::other)
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), io::Error> {
        Ok(self.cut_beginning(Place::of(&upto))?)
    }
}
