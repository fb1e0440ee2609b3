//! A token: with its secret a new node may join, for a while.

use serde::{Deserialize, Serialize};

use crate::id::ClockMs;

/// A token as the rules know it; its secret is known to whoever was given it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The SHA-256 of its secret.
    pub hash: [u8; 32],
    /// When it ends, by the ledger's clock.
    pub until: ClockMs,
    /// Who made it.
    pub minted_by: String,
    /// When, for people to read.
    pub minted_wall_ms: u64,
}
