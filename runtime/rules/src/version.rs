//! The versions of the rules' behaviour: releases side by side apply each entry alike.
//!
//! # Invariant
//! What an entry does depends on the version in the state, never on the release that applies it. The
//! version rises by an entry, and only once every node knows it; it never falls.
//!
//! # Why
//! A release that does something otherwise than the one before it raises [`NEWEST`] and asks
//! `state.version` where it does so; the old way stays until no cluster uses it any more. A command
//! that is new says in [`since`] with which version it came: no leader takes it in before that, since
//! an older release could not even read it. A node can be put back to the release before for as long
//! as the version has not risen.
//!
//! | version | since then |
//! |---|---|
//! | 1 | the first |
//! | 2 | nodes tell which secrets they have, and workers stand only where their targets' are |
//! | 3 | the Manager speaks in a team's room for the human who asked him |
//! | 4 | chaos runs |
//! | 5 | people: what is said below in [`PEOPLE`] |
//! | 6 | a node's clock is set on purpose |

use crate::command::Command;
use crate::deed::Deed;
use crate::node::Node;
use crate::state::State;
use crate::verdict::Rejection;

/// The version that every cluster begins with.
pub const FIRST: u32 = 1;
/// The newest version that this release knows.
pub const NEWEST: u32 = 6;
/// Since this one, nodes tell how their agents reach targets, and placement asks.
pub const WAYS_OUT: u32 = 2;
/// Since this one, the Manager speaks in teams' rooms for whoever asked him.
pub const WELCOMES: u32 = 3;
/// Since this one there are chaos runs.
pub const CHAOS: u32 = 4;
/// Since this one nobody's right, record or word depends on a name that somebody else had before, no
/// token that a lead makes for somebody else is good beyond their team, and a record of what changes
/// an account names the teams of its human. A roster lowers nobody, `00123` and `123` are one
/// employee, each asker has one roster half-sent at most, answers are no part of a persona's pace, and
/// the newest read marker is never dropped.
pub const PEOPLE: u32 = 5;
/// Since this one it is on record that a node's clock was set on purpose.
pub const CLOCKS: u32 = 6;

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

/// The version that a command came with.
pub fn since(command: &Command) -> u32 {
    let deed = if let Command::NoteDeed { deed, .. } = command {
        Some(deed)
    } else {
        None
    };
    if matches!(command, Command::TellWayOut { .. }) {
        WAYS_OUT
    } else if matches!(command, Command::Chaos(_)) {
        CHAOS
    } else if matches!(deed, Some(Deed::ExportAudit)) {
        PEOPLE
    } else if matches!(deed, Some(Deed::SetClock { .. })) {
        CLOCKS
    } else {
        FIRST
    }
}

/// Refuses a command that came with a later version than the cluster uses.
pub fn check(state: &State, command: &Command) -> Result<(), Rejection> {
    let (present, since) = (state.version, since(command));
    if since <= present {
        return Ok(());
    }
    let by = held_by(state, since).next();
    let by = by.map_or_else(String::new, |node| {
        format!(" (node {} does not yet)", node.facts.name)
    });
    Err(Rejection::WrongState {
        what: "the version of the rules".to_owned(),
        is: format!("{present}, and this came with {since}: it rises once every node knows it{by}"),
    })
}
