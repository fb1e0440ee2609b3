//! A node as the rules see it: what it said of itself when it joined.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::NodeId;

/// What a node says of itself at each of its starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// Its number in the cluster.
    pub node: NodeId,
    /// Its name, for people.
    pub name: String,
    /// Which start of its daemon this is; a later one has a greater number.
    pub incarnation: u64,
    /// The release of its daemon.
    pub release: String,
    /// What runs its containers, in words: engine, version, confinement.
    pub engine: String,
    /// CPU that workers may take, in thousandths of a core.
    pub cpu_milli: u64,
    /// Memory that workers may take.
    pub memory_bytes: u64,
    /// What placement may ask for.
    pub labels: BTreeMap<String, String>,
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What it said last.
    pub facts: NodeFacts,
    /// CPU promised to the workers placed here, in thousandths of a core.
    pub cpu_promised_milli: u64,
    /// Memory promised to the workers placed here.
    pub memory_promised_bytes: u64,
    /// Workers placed here.
    pub workers: u64,
    /// Butlers placed here.
    pub butlers: u64,
}
