//! An entry: a command with who asks it, at its place in the ledger.
//!
//! # Invariant
//! Time, identity and randomness come in here and nowhere else.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::audit::SALT_BYTES;
use crate::command::Command;
use crate::request::Request;
use crate::right::Decision;
use crate::who::Principal;

/// A command before it has a place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Names the wish where a client may repeat it; personas repeat by what they say.
    pub request: Option<Request>,
    /// Who asks.
    pub principal: Principal,
    /// The wall clock of the node that took it in, for people to read; it decides nothing.
    pub wall_ms: u64,
    /// What is asked.
    pub command: Command,
    /// Whether they may, as the leader decided it; whoever proposes leaves it open.
    pub decision: Option<Decision>,
}

/// A command at its place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The place, from 1.
    pub index: u64,
    /// The term of the leader that gave it this place.
    pub term: u64,
    /// Boot-clock time that the leader counted since the entry before it.
    pub elapsed_ms: u64,
    /// What was asked.
    pub proposal: Arc<Proposal>,
    /// What its texts are salted with in the record of the audit: drawn by that leader.
    pub salt: [u8; SALT_BYTES],
}
