//! The gateway over real sockets: a ledger, an attempt that runs, and targets that count.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agent;
mod cut;
mod documents;
mod effects;
mod hostile;
mod house;
mod https;
mod secrets;
mod target;
