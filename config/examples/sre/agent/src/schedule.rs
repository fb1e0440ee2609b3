//! What the scheduler would say: which nodes refuse a pod, for which reasons, and what would cure
//! a shortage of room.
//!
//! ```text
//!   Cluster ──► World (nodes, what runs on each) ──► refusals of one pod on one node
//!                 │                                          │
//!                 └── with added, uncordoned … nodes ──► pack ──► how many nodes of which size
//! ```
//!
//! # Invariant
//! The filters are those of kube-scheduler with its default settings, in its order. All filters
//! are asked for each node, not only up to the first that refuses: a cure must pass them all.
//!
//! # Why
//! The scheduler's own event says only how many nodes refuse for the first reason that each met. A
//! node that is tainted *and* full looks as if a toleration would do.

pub mod asking;
pub mod filters;
pub mod neighbours;
pub mod pack;
pub mod refusal;
pub mod storage;
pub mod verdict;
pub mod world;
