//! How a cluster began again: from a backup, or from the one node that was left of it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::NodeId;

/// What a cluster began again from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// From a backup, as a new cluster.
    Restored {
        /// The cluster that the backup is of.
        cluster: String,
        /// The last entry that is in the backup.
        index: u64,
        /// When it was made, for people to read.
        taken_wall_ms: u64,
    },
    /// From one node, because a majority is gone for ever.
    Recovered,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restored { cluster, index, .. } => {
                write!(
                    f,
                    "restored from a backup of cluster {cluster} at entry {index}"
                )
            }
            Self::Recovered => f.write_str("recovered on one node without a majority"),
        }
    }
}

/// That a cluster began again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// The entry that says so.
    pub index: u64,
    /// When, for people to read.
    pub wall_ms: u64,
    /// The node that it began again with.
    pub node: NodeId,
    /// What from.
    pub cause: Cause,
    /// Who had it done.
    pub by: String,
    /// The nodes that are no part of it any more.
    pub gone: BTreeSet<NodeId>,
    /// Attempts that were taken back.
    pub attempts: u64,
    /// Cases that are held because what they did since then may not be known.
    pub held: u64,
}
