//! What a store must hold after so many batches, by a seed: both sides compute it for themselves.

use std::collections::BTreeMap;

use runtime::store::{Batch, Op, Order, Space, Store};

/// Says how many batches there were; each batch writes it.
const COUNT: &[u8] = b"count";
/// Keys that a batch may touch; few, so that the engine must make room for what it has rewritten.
const KEYS: u64 = 300;

/// Numbers from a seed.
pub struct Dice(pub u64);

impl Dice {
    /// The next number (splitmix64).
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// As [`Dice::below`], for a place in memory.
    pub fn place(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }
}

/// The batch of that number.
pub fn batch(seed: u64, number: u64) -> Batch {
    let mut dice = Dice(seed ^ number.wrapping_mul(0x0D0D_0D0D_0D0D));
    let mut batch = Batch::default();
    for _ in 0..=dice.below(4) {
        let key = dice.below(KEYS).to_be_bytes();
        match dice.below(20) {
            0 => batch.delete(Space::Log, key),
            1 => {
                let until = (u64::from_be_bytes(key) + dice.below(5)).to_be_bytes();
                batch.delete_range(Space::Log, key, until);
            }
            2 => batch.put(Space::Log, key, value(&mut dice, 3_000, 70_000)),
            _ => batch.put(Space::Log, key, value(&mut dice, 20, 1_200)),
        }
    }
    batch.put(Space::Meta, COUNT, number.to_be_bytes());
    batch
}

fn value(dice: &mut Dice, least: usize, most: usize) -> Vec<u8> {
    let bytes = least + dice.place(most - least);
    (0..bytes.div_ceil(8))
        .flat_map(|_| dice.next().to_le_bytes())
        .take(bytes)
        .collect()
}

/// How many batches a store holds.
pub fn count(store: &Store) -> u64 {
    let count = store.get(Space::Meta, COUNT).unwrap();
    count.map_or(0, |count| u64::from_be_bytes(count.try_into().unwrap()))
}

/// What a store holds, batch by batch.
pub struct Model {
    seed: u64,
    count: u64,
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Earlier states, so that going back is not going through everything again.
    marks: BTreeMap<u64, BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl Model {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            count: 0,
            pairs: BTreeMap::new(),
            marks: BTreeMap::new(),
        }
    }

    /// Whether a store holds exactly the first `count` batches.
    pub fn is_held_by(&mut self, store: &Store, count: u64) -> bool {
        self.go_to(count);
        let mut held = BTreeMap::new();
        let mut from = Vec::new();
        loop {
            let pairs = store
                .range(Space::Log, &from, None, Order::Ascending, 100)
                .unwrap();
            let Some((last, _)) = pairs.last() else { break };
            from = [last.as_slice(), &[0]].concat();
            held.extend(pairs);
        }
        held == self.pairs
    }

    fn go_to(&mut self, count: u64) {
        if count < self.count {
            let mark = self.marks.range(..=count).next_back();
            let (at, pairs) =
                mark.map_or_else(Default::default, |(at, pairs)| (*at, pairs.clone()));
            (self.count, self.pairs) = (at, pairs);
        }
        while self.count < count {
            self.count += 1;
            self.apply(&batch(self.seed, self.count));
            if self.count.is_multiple_of(200) {
                self.marks.insert(self.count, self.pairs.clone());
            }
        }
    }

    fn apply(&mut self, batch: &Batch) {
        for op in batch.ops() {
            match op {
                Op::Put(Space::Log, key, value) => {
                    self.pairs.insert(key.clone(), value.clone());
                }
                Op::Delete(_, key) => {
                    self.pairs.remove(key);
                }
                Op::DeleteRange(_, from, until) => {
                    self.pairs.retain(|key, _| key < from || key >= until);
                }
                Op::Put(..) => {}
            }
        }
    }
}
