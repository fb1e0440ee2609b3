//! The log's tail in memory: where it ends, and the newest entries.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::block::{End, LogFault, Sealed};
use super::raft::{Place, RaftEntry, Vote};

/// Entries that are held in memory behind the last one: what is applied next is among them.
const RECENT_BYTES: usize = 4 * 1024 * 1024;
/// Condemned entries that go with each one that is appended: so the engine never has a heap of them
/// to take away while others wait, and is through long before the next heap.
const GONE_FOR_EACH: u64 = 4;

/// What is known of the log without asking the store.
///
/// # Invariant
/// An entry that is not in memory can be read from the store: none is forgotten here before it is
/// durable there, however many bytes wait for the disk.
#[derive(Debug, Default)]
pub(super) struct Tail {
    pub vote: Option<Vote>,
    pub purged: Option<Place>,
    pub purged_sum: u32,
    pub last: Option<Place>,
    pub last_sum: u32,
    pub committed: u64,
    /// Blocks that begin there hold nothing that is needed any more.
    pub condemned: Range<u64>,
    /// The newest entries, without a hole, up to the last one.
    recent: VecDeque<Recent>,
    recent_bytes: usize,
    /// How many appends there were.
    appends: u64,
    /// How many of them are durable: set by whoever writes, who must not wait for this lock.
    durable: Arc<AtomicU64>,
}

/// An entry that is held in memory.
#[derive(Debug)]
pub(super) struct Recent {
    pub entry: RaftEntry,
    pub bytes: usize,
    pub sum: u32,
    /// The append that it came with; 0 for one that was read from the store.
    append: u64,
}

impl Tail {
    /// Begins an append; what is to be called once it is durable.
    pub fn begin_append(&mut self) -> impl FnOnce() + Send + 'static {
        self.appends += 1;
        let (append, durable) = (self.appends, Arc::clone(&self.durable));
        move || {
            durable.fetch_max(append, Ordering::Release);
        }
    }

    /// Takes in an entry of the append that was begun last.
    pub fn push(&mut self, entry: RaftEntry, bytes: usize, sum: u32) {
        self.last = Some(Place::of(&entry.log_id));
        self.last_sum = sum;
        self.recent_bytes += bytes;
        self.recent.push_back(Recent {
            entry,
            bytes,
            sum,
            append: self.appends,
        });
        let durable = self.durable.load(Ordering::Acquire);
        while self.recent_bytes > RECENT_BYTES
            && self.recent.len() > 1
            && self
                .recent
                .front()
                .is_some_and(|first| first.append <= durable)
        {
            self.forget_first();
        }
    }

    pub fn forget_first(&mut self) {
        if let Some(first) = self.recent.pop_front() {
            self.recent_bytes -= first.bytes;
        }
    }

    pub fn forget_after(&mut self, last: Option<u64>) {
        while let Some(recent) = self.recent.back() {
            if Some(recent.entry.log_id.index()) <= last {
                break;
            }
            self.recent_bytes -= recent.bytes;
            self.recent.pop_back();
        }
    }

    /// The next part of what is condemned, for an append of so many entries.
    pub fn take_condemned(&mut self, appended: u64) -> Range<u64> {
        let Range { start, end } = self.condemned;
        let until = end.min(start.saturating_add(appended.saturating_mul(GONE_FOR_EACH)));
        self.condemned.start = until;
        start..until
    }

    pub fn first_recent(&self) -> u64 {
        let first = self.recent.front();
        first.map_or(u64::MAX, |recent| recent.entry.log_id.index())
    }

    pub fn end(&self) -> u64 {
        self.last.map_or(0, |last| last.index + 1)
    }

    /// The last entry with its checksum.
    pub fn last_with_sum(&self) -> Option<End> {
        self.last.map(|last| (last, self.last_sum))
    }

    /// Refuses a log that ends elsewhere than it must.
    pub fn check_end(&self, expected: Option<End>) -> Result<(), LogFault> {
        if self.last_with_sum() == expected {
            return Ok(());
        }
        let told = |end: Option<End>| match end {
            Some((last, _)) => format!("with entry {} of term {}", last.index, last.term),
            None => "before its first entry".to_owned(),
        };
        Err(LogFault::Damaged(format!(
            "the log ends {}, and was durable to an end {}",
            told(self.last_with_sum()),
            told(expected)
        )))
    }

    /// The entries of a range that are held in memory, if its first one is.
    pub fn recent_range(&self, from: u64, until: u64) -> Option<Vec<RaftEntry>> {
        let skip = usize::try_from(from.checked_sub(self.first_recent())?).ok()?;
        let count = usize::try_from(until.saturating_sub(from)).ok()?;
        let entries = self.recent.iter().skip(skip).take(count);
        let entries: Vec<_> = entries.map(|recent| recent.entry.clone()).collect();
        (!entries.is_empty()).then_some(entries)
    }

    /// Refuses an entry that would leave a hole before it.
    pub fn check_follows(&self, entry: &RaftEntry) -> Result<(), LogFault> {
        let (index, end) = (entry.log_id.index(), self.end());
        if index == end {
            return Ok(());
        }
        Err(LogFault::Damaged(format!(
            "entry {index} was to be written behind entry {end} that is not there"
        )))
    }

    pub fn recent_sum(&self, index: u64) -> Option<u32> {
        let at = usize::try_from(index.checked_sub(self.first_recent())?).ok()?;
        self.recent.get(at).map(|recent| recent.sum)
    }

    /// Takes in a record that must be the next one.
    pub fn follow(&mut self, sealed: Sealed) -> Result<&RaftEntry, LogFault> {
        let place = sealed.record.place;
        let (expected, last_term) = (self.end(), self.last.map_or(0, |last| last.term));
        if place.index != expected {
            return Err(LogFault::Damaged(format!(
                "entry {expected} of the log is missing, and entry {} is there",
                place.index
            )));
        }
        if sealed.record.previous != self.last_sum || place.term < last_term {
            return Err(LogFault::Damaged(format!(
                "entry {expected} of the log does not follow the one before it"
            )));
        }
        self.push(sealed.record.entry(), sealed.bytes, sealed.sum);
        self.recent
            .back()
            .map(|recent| &recent.entry)
            .ok_or_else(|| LogFault::Damaged("the log is empty".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use openraft::entry::RaftEntry as _;

    use super::*;

    fn push(tail: &mut Tail, index: u64, bytes: usize) {
        let place = Place { term: 1, index };
        tail.push(RaftEntry::new_blank(place.log_id()), bytes, 0);
    }

    #[test]
    fn what_waits_for_the_disk_is_readable_however_much_it_is() {
        let mut tail = Tail::default();
        let first_is_durable = tail.begin_append();
        for index in 0..8 {
            push(&mut tail, index, RECENT_BYTES / 4);
        }
        let second_is_durable = tail.begin_append();
        push(&mut tail, 8, RECENT_BYTES / 4);
        assert_eq!(tail.first_recent(), 0);
        first_is_durable();
        push(&mut tail, 9, RECENT_BYTES);
        // All of the first append may be read from the store now, and nothing behind it.
        assert_eq!(tail.first_recent(), 8);
        second_is_durable();
        push(&mut tail, 10, RECENT_BYTES);
        assert_eq!(tail.first_recent(), 10);
    }
}
