//! `[ledger]`: the replicated log, how it is kept and how its leader is elected.
//!
//! # Invariant
//! Two heartbeats fit into the shortest election time, which is below the longest.

use super::keys::Keys;
use crate::measure::show_ms;

/// The settings of `[ledger]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSettings {
    /// What keeps the log on disk.
    pub store: StoreChoice,
    /// Entries between two snapshots.
    pub snapshot_every: u64,
    /// Between two signs of life of the leader.
    pub heartbeat_ms: u64,
    /// The shortest silence after which a voter stands for election.
    pub election_min_ms: u64,
    /// The longest such silence.
    pub election_max_ms: u64,
}

/// What keeps the log on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreChoice {
    /// The default.
    Sled,
    /// The second implementation.
    Redb,
}

impl LedgerSettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        let stores = [("sled", StoreChoice::Sled), ("redb", StoreChoice::Redb)];
        let read = Self {
            store: keys.choice("ledger.store", &stores),
            snapshot_every: keys.count("ledger.snapshot_every", 100..=10_000_000),
            heartbeat_ms: keys.ms("ledger.heartbeat_ms", 50..=10_000),
            election_min_ms: keys.ms("ledger.election_min_ms", 100..=60_000),
            election_max_ms: keys.ms("ledger.election_max_ms", 200..=120_000),
        };
        read.check(keys);
        read
    }

    fn check(&self, keys: &mut Keys) {
        let (min, max) = (self.election_min_ms, self.election_max_ms);
        if min < 2 * self.heartbeat_ms {
            let sentence = format!(
                "`ledger.election_min_ms` is {}, below twice `ledger.heartbeat_ms` ({})",
                show_ms(min),
                show_ms(self.heartbeat_ms)
            );
            keys.refuse("ledger.election_min_ms", sentence);
        }
        if max <= min {
            let sentence = format!(
                "`ledger.election_max_ms` is {}, not above `ledger.election_min_ms` ({})",
                show_ms(max),
                show_ms(min)
            );
            keys.refuse("ledger.election_max_ms", sentence);
        }
    }
}
