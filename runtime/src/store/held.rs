//! An engine together with its marker: the frame up to which it has everything, and the facts.
//!
//! ```text
//! batch ─► facts (in memory) ─────────────┐
//!     └──► engine ─► its file             ▼
//!                        ▲      marker: frame 4711, all facts
//!                        └──────────┘ with each settling
//! ```
//!
//! # Invariant
//! The facts are those of the last frame that was applied, whatever the engine's file has lost: the
//! journal says which marker must be there, and has all the frames behind it.
//!
//! # Why
//! An engine whose file is damaged may go on as if part of it had never been written. A fact is what
//! the ledger and its archive know of their own contents: where the log ends, how many cases there
//! are. So it must not be lost the same way as those contents. The road not taken, a checksum over
//! the engine's whole file at each clean closing, says nothing after a kill.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::engine::{self, Engine, EngineError, Order, Pairs, Part, StoreKind};
use super::handle::locked;
use super::{Op, Space};
use crate::codec;

const SETTLED_KEY: &[u8] = b"settled";

/// What the marker says.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Marker {
    settled: u64,
    facts: Facts,
}

type Facts = BTreeMap<Vec<u8>, Vec<u8>>;

/// An engine with its facts.
pub(super) struct Held {
    engine: Box<dyn Engine>,
    facts: Mutex<Facts>,
}

impl Held {
    /// Opens the engine, and says up to which frame it has everything.
    pub fn open(kind: StoreKind, dir: &Path) -> Result<(Self, u64), EngineError> {
        let engine = engine::open(kind, dir)?;
        let sealed = engine::guarded(|| engine.get(Space::Store, SETTLED_KEY))?;
        let marker: Option<Marker> = sealed
            .map(|sealed| codec::decode(codec::SETTLED, &sealed))
            .transpose()
            .map_err(|error| {
                EngineError::Damaged(format!("its place in the journal is unreadable: {error}"))
            })?;
        let marker = marker.unwrap_or_default();
        let held = Self {
            engine,
            facts: Mutex::new(marker.facts),
        };
        Ok((held, marker.settled))
    }

    /// Applies changes in their order; says how often the engine had to sync for that.
    pub fn apply(&self, ops: &[Op]) -> Result<u64, EngineError> {
        let (facts, others): (Vec<&Op>, Vec<&Op>) =
            ops.iter().partition(|op| op.space() == Space::Meta);
        let syncs = self.engine.apply(&others)?;
        let mut held = locked(&self.facts);
        for op in facts {
            match op {
                Op::Put(_, key, value) => drop(held.insert(key.clone(), value.clone())),
                Op::Delete(_, key) => drop(held.remove(key)),
                Op::DeleteRange(_, from, until) => held.retain(|key, _| key < from || key >= until),
            }
        }
        Ok(syncs)
    }

    /// Makes all that was applied durable, and with it that it is so up to this frame.
    pub fn settle(&self, seq: u64) -> Result<(), EngineError> {
        let marker = Marker {
            settled: seq,
            facts: locked(&self.facts).clone(),
        };
        let sealed = codec::encode(codec::SETTLED, &marker)
            .map_err(|error| EngineError::Damaged(format!("its facts: {error}")))?;
        let marker = Op::Put(Space::Store, SETTLED_KEY.to_vec(), sealed);
        self.engine.apply(&[&marker])?;
        self.engine.sync()
    }

    /// The value of a key.
    pub fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        if space == Space::Meta {
            return Ok(locked(&self.facts).get(key).cloned());
        }
        self.engine.get(space, key)
    }

    /// The first pairs of a part in the given order.
    pub fn range(&self, part: &Part, order: Order, limit: usize) -> Result<Pairs, EngineError> {
        if part.space != Space::Meta {
            return self.engine.range(part, order, limit);
        }
        let until = part
            .until
            .as_ref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let facts = locked(&self.facts);
        let found = facts.range::<Vec<u8>, _>((Bound::Included(&part.from), until));
        let pair = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        Ok(match order {
            Order::Ascending => found.map(pair).take(limit).collect(),
            Order::Descending => found.rev().map(pair).take(limit).collect(),
        })
    }

    /// What the engine takes on the disk.
    pub fn disk_bytes(&self) -> u64 {
        self.engine.disk_bytes()
    }
}
