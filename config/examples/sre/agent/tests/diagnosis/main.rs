//! What the agents of the example answer: about recorded clusters, about clusters made for one
//! question each, and about input that is meant to break them.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod behind;
mod contract;
mod desk;
mod ends;
mod hostile;
mod kit;
mod naming;
mod neighbours;
mod placing;
mod planning;
mod recorded;
mod running;
mod storage;
mod traps;
