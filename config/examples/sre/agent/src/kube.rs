//! A small model of the Kubernetes objects that decide whether a workload runs.
//!
//! ```text
//!   JSON value ──► place ──► pod, node, storage, event, workload ──► cluster (sorted, indexed)
//! ```
//!
//! # Invariant
//! Reading an object never fails: a field that is absent or of a wrong shape takes the value that
//! Kubernetes itself gives to an absent one. Two recordings with the same objects in another order
//! give the same cluster.
//!
//! # Why
//! Typed deserialisation of whole objects would lose a pod for one odd field, and the clusters
//! that need a diagnosis are the ones with odd fields.

pub mod cluster;
pub mod container;
pub mod event;
pub mod label;
pub mod moment;
pub mod node;
pub mod place;
pub mod placement;
pub mod pod;
pub mod quantity;
pub mod resources;
pub mod storage;
pub mod workload;

use std::fmt;

/// Namespace and name of an object; cluster-wide objects have an empty namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Key {
    /// Empty for objects that live in no namespace.
    pub namespace: String,
    /// The object's own name.
    pub name: String,
}

impl Key {
    /// A key from its two parts.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}", self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// A condition as nodes, pods, claims and workloads carry it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    /// `Ready`, `PodScheduled`, `MemoryPressure`, …
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word in camel case, may be empty.
    pub reason: String,
    /// A sentence for people, may be empty.
    pub message: String,
    /// When the status last changed.
    pub since: Option<moment::Moment>,
}

impl Condition {
    /// Reads the list of conditions at `status.conditions`.
    pub fn list(object: place::Place<'_>) -> Vec<Self> {
        let mut conditions: Vec<Self> = object
            .at("status")
            .at("conditions")
            .list()
            .map(|c| Self {
                kind: c.at("type").string(),
                status: c.at("status").string(),
                reason: c.at("reason").string(),
                message: c.at("message").string(),
                since: c.at("lastTransitionTime").moment(),
            })
            .collect();
        conditions.sort_by(|a, b| a.kind.cmp(&b.kind));
        conditions
    }
}
