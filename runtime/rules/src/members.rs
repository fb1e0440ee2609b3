//! Who votes: a pure choice of the ledger's members, made anew whenever nodes come, go or change.
//!
//! # Invariant
//! Asked again with its own answer, it answers the same.
//!
//! # Why
//! A change of voters costs every one of them a round and is a time of weakness, so those that
//! vote go on voting, even while they are away: a host that starts again within minutes would
//! otherwise cost two changes. Nobody is made a voter while it is away.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::id::NodeId;
use crate::limits;
use crate::node::{Health, Node, Role};
use crate::state::State;

/// Who shall vote where `present` votes now: the largest odd number that there are nodes for, at
/// most three or as many as are pinned, and at most seven.
///
/// Pinned nodes go first, then those that vote already, then those that are up, then those that
/// are not being drained, then smaller numbers. It is empty only where no node could vote:
/// whoever asked then leaves the members alone.
pub fn voters(state: &State, present: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let possible: Vec<&Node> = state
        .nodes
        .values()
        .filter(|node| node.may_vote())
        .collect();
    let is_present = |node: &Node| present.contains(&node.facts.node);
    let mut fit: Vec<&Node> = possible
        .iter()
        .copied()
        .filter(|node| is_present(node) || node.health == Health::Up)
        .collect();
    if fit.is_empty() {
        fit = possible;
    }
    let pinned = fit.iter().filter(|node| node.role == Role::Voter).count();
    let wanted = pinned
        .clamp(limits::WANTED_VOTERS, limits::MAX_VOTERS)
        .min(fit.len());
    let odd = wanted.saturating_sub(usize::from(wanted.is_multiple_of(2)));
    fit.sort_by_key(|node| {
        (
            Reverse(node.role == Role::Voter),
            Reverse(is_present(node)),
            Reverse(node.health == Health::Up),
            node.is_drained(),
            node.facts.node,
        )
    });
    fit.into_iter()
        .take(odd)
        .map(|node| node.facts.node)
        .collect()
}
