//! What is written to the store: puts and deletes in ordered keyspaces, together or not at all.

use super::StoreError;

/// An ordered set of keys within the store; a number is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Space {
    /// The store's own place in its journal.
    Store = 0,
    /// Facts: whose ledger it is, vote, where the log begins and ends, how far the archive is. Few
    /// and small; the store itself holds them, and no engine can lose one unnoticed.
    Meta = 1,
    /// The log: entries by index.
    Log = 2,
    /// The pieces of closed cases, by number.
    Case = 3,
    /// What lists say of closed cases, by number.
    Summary = 4,
    /// The numbers of closed cases, by team.
    Team = 5,
    /// Posts of rooms that have left the state, by room and number.
    Post = 6,
}

impl Space {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Store,
        Self::Meta,
        Self::Log,
        Self::Case,
        Self::Summary,
        Self::Team,
        Self::Post,
    ];

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|space| *space as u8 == byte)
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// The key has this value now.
    Put(Space, Vec<u8>, Vec<u8>),
    /// The key is there no more.
    Delete(Space, Vec<u8>),
    /// No key from the first, up to and without the second, is there any more.
    DeleteRange(Space, Vec<u8>, Vec<u8>),
}

impl Op {
    /// The keyspace that it changes.
    pub fn space(&self) -> Space {
        let (Self::Put(space, ..) | Self::Delete(space, _) | Self::DeleteRange(space, ..)) = self;
        *space
    }

    /// What it takes in the journal.
    fn bytes(&self) -> usize {
        OP_HEAD_BYTES
            + match self {
                Self::Put(_, key, value) | Self::DeleteRange(_, key, value) => {
                    key.len() + value.len()
                }
                Self::Delete(_, key) => key.len(),
            }
    }
}

/// Changes that become durable together, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    ops: Vec<Op>,
    bytes: usize,
}

/// What an operation takes in the journal beside its key and value.
const OP_HEAD_BYTES: usize = 10;
/// The largest fact: all of them are written anew with each settling.
const MAX_FACT_BYTES: usize = 1024;

impl Batch {
    /// Gives a key a value.
    pub fn put(&mut self, space: Space, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.push(Op::Put(space, key.into(), value.into()));
    }

    /// Takes a key away.
    pub fn delete(&mut self, space: Space, key: impl Into<Vec<u8>>) {
        self.push(Op::Delete(space, key.into()));
    }

    /// Takes away all keys from `from`, up to and without `until`.
    pub fn delete_range(
        &mut self,
        space: Space,
        from: impl Into<Vec<u8>>,
        until: impl Into<Vec<u8>>,
    ) {
        self.push(Op::DeleteRange(space, from.into(), until.into()));
    }

    fn push(&mut self, op: Op) {
        self.bytes += op.bytes();
        self.ops.push(op);
    }

    /// The changes.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// What they take in the journal.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Adds the changes of another batch behind its own.
    pub(super) fn append(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.ops.extend(other.ops);
    }

    /// Its bytes in the journal.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes);
        for op in &self.ops {
            let (tag, space, key, value): (u8, _, _, &[u8]) = match op {
                Op::Put(space, key, value) => (0, space, key, value),
                Op::Delete(space, key) => (1, space, key, &[]),
                Op::DeleteRange(space, from, until) => (2, space, from, until),
            };
            bytes.extend([tag, *space as u8]);
            for part in [key.as_slice(), value] {
                // A batch is far smaller than four GiB: its frame has a limit.
                bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
                bytes.extend(part);
            }
        }
        bytes
    }

    /// The batch that was encoded to all of `bytes`; none if they are no batch.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut batch = Self::default();
        while let Some(([tag, space], rest)) = bytes.split_first_chunk::<2>() {
            bytes = rest;
            let (tag, space) = (*tag, Space::from_byte(*space)?);
            let (key, value) = (part(&mut bytes)?, part(&mut bytes)?);
            batch.push(match tag {
                0 => Op::Put(space, key, value),
                1 if value.is_empty() => Op::Delete(space, key),
                2 => Op::DeleteRange(space, key, value),
                _ => return None,
            });
        }
        bytes.is_empty().then_some(batch)
    }

    /// Refuses what no frame of the journal holds, and what is no fact.
    pub(super) fn check(&self, max_bytes: usize) -> Result<(), StoreError> {
        if self.bytes > max_bytes {
            return Err(StoreError::TooLarge {
                bytes: self.bytes,
                max: max_bytes,
            });
        }
        let facts = self.ops.iter().filter(|op| op.space() == Space::Meta);
        let largest = facts.map(Op::bytes).max().unwrap_or(0);
        if largest > MAX_FACT_BYTES {
            return Err(StoreError::TooLarge {
                bytes: largest,
                max: MAX_FACT_BYTES,
            });
        }
        Ok(())
    }
}

fn part(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (part, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *bytes = rest;
    Some(part.to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_batch_comes_back_from_its_bytes() {
        let mut batch = Batch::default();
        batch.put(Space::Log, *b"key", *b"value");
        batch.delete(Space::Meta, *b"gone");
        batch.delete_range(Space::Case, *b"a", *b"z");
        batch.put(Space::Team, *b"", *b"");
        let bytes = batch.encode();
        assert_eq!(bytes.len(), batch.bytes());
        assert_eq!(Batch::decode(&bytes), Some(batch));
        assert!((1..bytes.len()).any(|end| Batch::decode(&bytes[..end]).is_none()));
    }

    proptest! {
        #[test]
        fn whatever_bytes_come_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(batch) = Batch::decode(&bytes) {
                prop_assert_eq!(batch.encode(), bytes);
            }
        }
    }
}
