//! The rules: what the cluster's state is, what may change it, and what ought to be going on.
//!
//! ```text
//! Command ─► Entry ─► apply(&mut State) ─► Verdict to whoever asked
//!                                      ├─► touched subjects ─► duties ─► personas
//!                                      └─► closed cases ─► archive
//! ```
//!
//! # Invariant
//! Pure: no clock, no randomness, no file, no socket, no `async`, nothing whose order depends on
//! a hash. The same entries give the same state, byte for byte, on every node and in every replay.
//!
//! # Why
//! Every promise about cases, stages and attempts is decided here, where a test costs microseconds
//! and a fault can be replayed. What surrounds the rules only carries entries to them and duties
//! from them; it may be slow, die and repeat itself.

pub mod apply;
pub mod attempt;
pub mod audit;
pub mod beginning;
pub mod blobs;
pub mod case;
pub mod chaos;
pub mod command;
pub mod deed;
pub mod demand;
pub mod duty;
pub mod effect;
mod ended;
pub mod entry;
pub mod erase;
mod follow;
pub mod history;
pub mod human;
pub mod id;
pub mod limits;
pub mod members;
pub mod mention;
pub mod node;
pub mod parked;
pub mod place;
pub mod plan;
mod planning;
pub mod read;
pub mod request;
pub mod right;
pub mod room;
pub mod roster;
pub mod route;
pub mod stage;
pub mod state;
mod step;
mod takeover;
pub mod target;
pub mod team;
pub mod token;
pub mod verdict;
pub mod version;
pub mod who;
pub mod why;
pub mod worker;

pub use apply::{Applied, apply};
pub use command::{Command, Entry, Principal, Proposal, Request, Who};
pub use state::State;
pub use verdict::{Outcome, Rejection, Verdict};
