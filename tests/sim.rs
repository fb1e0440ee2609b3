//! The simulation: several replicas of ledger and rules in one thread, one seed, a lossy network, torn disks.
//!
//! ```text
//! people, personas ─► ledgers ─► net (late, lost, doubled)        clockwork: whose turn, what time
//!                        └────► disk (synced apart from unsynced)
//! ```
//!
//! # Why
//! The ledger that ships runs here unchanged: only what it stands on is exchanged (`runtime::world`).

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

mod sim {
    pub mod clockwork;
    pub mod cluster;
    pub mod disk;
    pub mod founding;
    pub mod judge;
    pub mod machine;
    pub mod nemesis;
    pub mod net;
    pub mod oracle;
    pub mod pairs;
    pub mod people;
    pub mod personas;
    pub mod rare;
    pub mod seeds;
    pub mod team;
    pub mod trial;
    pub mod truth;
}
