//! An engine that keeps to the letter of its contract and no more: of what was not synced it loses
//! as much as it may.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;

use runtime::store::{Op, Order, Part, Space};

use lab::Dice;

type Map = BTreeMap<(Space, Vec<u8>), Vec<u8>>;

/// Keys with their values, as they are and as they are durable.
#[derive(Default)]
pub struct Pairs {
    live: Map,
    durable: Map,
    unsynced: Vec<Op>,
    is_made: bool,
    /// What it holds is not what was written: it must be opened again.
    is_off: bool,
}

fn apply(op: &Op, to: &mut Map) {
    match op {
        Op::Put(space, key, value) => drop(to.insert((*space, key.clone()), value.clone())),
        Op::Delete(space, key) => drop(to.remove(&(*space, key.clone()))),
        Op::DeleteRange(space, from, until) => {
            let range = (*space, from.clone())..(*space, until.clone());
            if range.start >= range.end {
                return;
            }
            let keys: Vec<_> = to.range(range).map(|(key, _)| key.clone()).collect();
            for key in keys {
                to.remove(&key);
            }
        }
    }
}

impl Pairs {
    pub fn is_made(&self) -> bool {
        self.is_made
    }

    pub fn open(&mut self, dice: &mut Dice) {
        self.is_made = true;
        if self.is_off {
            self.lose_power(dice);
        }
    }

    pub fn apply(&mut self, ops: &[&Op]) {
        for op in ops {
            apply(op, &mut self.live);
            self.unsynced.push((*op).clone());
        }
    }

    pub fn sync(&mut self) {
        for op in self.unsynced.drain(..) {
            apply(&op, &mut self.durable);
        }
    }

    /// It could not be written: nobody knows what of it there is.
    pub fn fail(&mut self) -> io::Error {
        self.is_off = true;
        io::Error::from_raw_os_error(5)
    }

    pub fn get(&self, space: Space, key: &[u8]) -> Option<Vec<u8>> {
        self.live.get(&(space, key.to_vec())).cloned()
    }

    pub fn range(&self, part: &Part, order: Order, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let from = Bound::Included((part.space, part.from.clone()));
        let until = part.until.clone().map_or(Bound::Unbounded, |until| {
            Bound::Excluded((part.space, until))
        });
        if part.until.as_ref().is_some_and(|until| *until <= part.from) {
            return Vec::new();
        }
        let all = self.live.range((from, until));
        let all = all.take_while(|((space, _), _)| *space == part.space);
        let pair = |((_, key), value): (&(Space, Vec<u8>), &Vec<u8>)| (key.clone(), value.clone());
        let mut all: Vec<_> = all.map(pair).collect();
        if order == Order::Descending {
            all.reverse();
        }
        all.truncate(limit);
        all
    }

    pub fn lose_power(&mut self, dice: &mut Dice) {
        let kept = dice.below(self.unsynced.len() + 1);
        for op in self.unsynced.drain(..).take(kept) {
            apply(&op, &mut self.durable);
        }
        self.live = self.durable.clone();
        self.is_off = false;
    }

    /// What an engine held in memory goes with its process.
    pub fn lose_process(&mut self, dice: &mut Dice) {
        self.lose_power(dice);
    }
}
