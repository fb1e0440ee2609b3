//! The versions of the rules' behaviour: releases side by side apply each entry alike.
//!
//! # Invariant
//! What an entry does depends on the version in the state, never on the release that applies it. The
//! version rises by an entry, and only once every node knows it; it never falls.
//!
//! # Why
//! A release that does something otherwise than the one before it raises [`NEWEST`] and asks
//! `state.version` where it does so; the old way stays until no cluster uses it any more. A node can
//! be put back to the release before for as long as the version has not risen.

use crate::node::Node;
use crate::state::State;

/// The version that every cluster begins with.
pub const FIRST: u32 = 1;
/// The newest version that this release knows.
pub const NEWEST: u32 = 1;

/// The version to rise to next: none while a node that has joined does not know one.
pub fn next(state: &State) -> Option<u32> {
    let is_founded = state.nodes.values().any(Node::has_joined);
    let next = state.version + 1;
    (is_founded && held_by(state, next).next().is_none()).then_some(next)
}

/// The nodes that do not know a version: it waits for their upgrade, or their removal.
pub fn held_by(state: &State, version: u32) -> impl Iterator<Item = &Node> {
    let joined = state.nodes.values().filter(|node| node.has_joined());
    joined.filter(move |node| node.facts.knows < version)
}
