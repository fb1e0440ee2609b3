//! Blocks of the log in the store: the records that were appended together, under their first index.
//!
//! # Why
//! A key for each entry costs the engine more than the entry itself, once for putting it there and
//! once for taking it away; under load a block holds dozens of them.

use super::raft::{Place, RaftEntry, Record};
use crate::codec::{self, CodecError};
use crate::store::{Batch, Order, Space, Store, StoreError};

/// A block; a longer record is one by itself. More would be read for one entry than is worth it.
const BLOCK_BYTES: usize = 32 * 1024;
/// Batches of an append, and blocks, are so much smaller than the store's largest batch at least: a
/// block more still fits.
const BATCH_PART: usize = 4;
/// Blocks that are read in one go.
const READ_BLOCKS: usize = 256;

/// Why blocks could not be read: what is wrong, and where.
#[derive(Debug)]
pub(super) enum LogFault {
    Damaged(String),
    Store(StoreError),
}

impl From<CodecError> for LogFault {
    fn from(error: CodecError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<StoreError> for LogFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LogFault> for std::io::Error {
    fn from(fault: LogFault) -> Self {
        match fault {
            LogFault::Damaged(what) => Self::new(std::io::ErrorKind::InvalidData, what),
            LogFault::Store(error) => Self::other(error),
        }
    }
}

/// A record with the bytes that it was read from.
#[derive(Debug)]
pub(super) struct Sealed {
    pub record: Record,
    pub bytes: usize,
    pub sum: u32,
}

/// Where the log ends: its last entry, and that one's checksum.
pub(super) type End = (Place, u32);

const END_KEY: &[u8] = b"end";

/// Gathers records to blocks, and blocks to batches, each of which says where the log ends with it.
#[derive(Debug)]
pub(super) struct Blocks {
    block_bytes: usize,
    batch_bytes: usize,
    first: u64,
    block: Vec<u8>,
    end: Option<End>,
    batch: Batch,
    full: Vec<Batch>,
}

impl Blocks {
    /// None yet, for this store.
    pub fn of(store: &Store) -> Self {
        let batch_bytes = store.max_batch_bytes() / BATCH_PART;
        Self {
            block_bytes: BLOCK_BYTES.min(batch_bytes),
            batch_bytes,
            first: 0,
            block: Vec::new(),
            end: None,
            batch: Batch::default(),
            full: Vec::new(),
        }
    }

    /// Adds the next record.
    pub fn push(&mut self, place: Place, sealed: &[u8]) -> Result<(), CodecError> {
        if !self.block.is_empty() && self.block.len() + sealed.len() > self.block_bytes {
            self.end_block()?;
        }
        if self.block.is_empty() {
            self.first = place.index;
        }
        self.block.extend(sealed);
        self.end = Some((place, codec::sum_of(sealed)));
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), CodecError> {
        let block = std::mem::take(&mut self.block);
        self.batch.put(Space::Log, key(self.first), block);
        if self.batch.bytes() > self.batch_bytes {
            self.end_batch()?;
        }
        Ok(())
    }

    fn end_batch(&mut self) -> Result<(), CodecError> {
        let mut batch = std::mem::take(&mut self.batch);
        put_end(&mut batch, self.end)?;
        self.full.push(batch);
        Ok(())
    }

    /// The batches, in their order; at least one.
    pub fn end(mut self) -> Result<Vec<Batch>, CodecError> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        if !self.batch.is_empty() {
            self.end_batch()?;
        }
        if self.full.is_empty() {
            self.full.push(Batch::default());
        }
        Ok(self.full)
    }
}

/// Writes down where the log ends from now on.
pub(super) fn put_end(batch: &mut Batch, end: Option<End>) -> Result<(), CodecError> {
    match end {
        Some(end) => batch.put(Space::Meta, END_KEY, codec::encode(codec::LOG_END, &end)?),
        None => batch.delete(Space::Meta, END_KEY),
    }
    Ok(())
}

/// Where the log must end.
pub(super) fn end(store: &Store) -> Result<Option<End>, LogFault> {
    let sealed = store.get(Space::Meta, END_KEY)?;
    let end = sealed.map(|sealed| codec::decode(codec::LOG_END, &sealed));
    end.transpose()
        .map_err(|error| LogFault::Damaged(format!("the log's end is unreadable: {error}")))
}

/// Where the block begins that holds `index`, if the log has one that begins there or before.
pub(super) fn start_of(store: &Store, index: u64) -> Result<Option<u64>, StoreError> {
    let until = key(index.saturating_add(1));
    let found = store.range(Space::Log, &[], Some(&until), Order::Descending, 1)?;
    Ok(found.first().map(|(key, _)| index_of(key)))
}

/// Where the first block begins.
pub(super) fn first(store: &Store) -> Result<Option<u64>, StoreError> {
    let found = store.range(Space::Log, &[], None, Order::Ascending, 1)?;
    Ok(found.first().map(|(key, _)| index_of(key)))
}

/// The records of some blocks from the one that begins at `start`, and where the next one begins.
pub(super) fn read(store: &Store, start: u64) -> Result<(Vec<Sealed>, Option<u64>), LogFault> {
    let from = key(start);
    let blocks = store.range(Space::Log, &from, None, Order::Ascending, READ_BLOCKS)?;
    let mut records = Vec::new();
    let mut next = None;
    for (key, block) in blocks {
        let first = index_of(&key);
        for sealed in split(first, &block)? {
            next = Some(sealed.record.place.index + 1);
            records.push(sealed);
        }
    }
    Ok((records, next))
}

/// The last record of the log.
pub(super) fn last(store: &Store) -> Result<Option<Sealed>, LogFault> {
    let found = store.range(Space::Log, &[], None, Order::Descending, 1)?;
    let Some((key, block)) = found.first() else {
        return Ok(None);
    };
    Ok(split(index_of(key), block)?.pop())
}

/// The records of one block.
pub(super) fn split(first: u64, mut block: &[u8]) -> Result<Vec<Sealed>, LogFault> {
    let mut records = Vec::new();
    while !block.is_empty() {
        let index = first + records.len() as u64;
        let damaged = |why: String| LogFault::Damaged(format!("entry {index} of the log {why}"));
        let head = block
            .first_chunk()
            .ok_or_else(|| damaged("is cut off".to_owned()))?;
        let bytes = codec::body_length(codec::RECORD, head)
            .map(|length| codec::HEAD_BYTES + length)
            .map_err(|error| damaged(format!("is unreadable: {error}")))?;
        let (sealed, rest) = block
            .split_at_checked(bytes)
            .ok_or_else(|| damaged("is cut off".to_owned()))?;
        let record =
            Record::decode(sealed).map_err(|error| damaged(format!("is unreadable: {error}")))?;
        if record.place.index != index {
            return Err(damaged(format!("is that of place {}", record.place.index)));
        }
        records.push(Sealed {
            record,
            bytes,
            sum: codec::sum_of(sealed),
        });
        block = rest;
    }
    Ok(records)
}

/// Adds to `batch` what takes the entries from `from` on out of the log, which goes on to `until`.
///
/// The block that is cut into is read as far as it is durable. It is: consensus has a vote saved before
/// it lets another leader overrule what it appended, and that waits for all that was handed over before.
pub(super) fn cut_end(
    store: &Store,
    batch: &mut Batch,
    from: u64,
    until: u64,
) -> Result<(), LogFault> {
    if let Some(start) = start_of(store, from)?.filter(|start| *start < from) {
        let block = store.get(Space::Log, &key(start))?.unwrap_or_default();
        let kept = split(start, &block)?;
        let kept = kept
            .iter()
            .filter(|sealed| sealed.record.place.index < from);
        let bytes: usize = kept.map(|sealed| sealed.bytes).sum();
        batch.put(Space::Log, key(start), block[..bytes].to_vec());
    }
    batch.delete_range(Space::Log, key(from), key(until));
    Ok(())
}

/// The entries of records.
pub(super) fn entries(records: Vec<Sealed>) -> impl Iterator<Item = RaftEntry> {
    records.into_iter().map(|sealed| sealed.record.entry())
}

/// The key of the block that begins with this entry.
pub(super) fn key(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

fn index_of(key: &[u8]) -> u64 {
    key.try_into().map_or(u64::MAX, u64::from_be_bytes)
}
