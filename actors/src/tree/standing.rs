//! How the children of the root are, for those who ask.

use std::collections::BTreeSet;

use rules::duty::Holder;

use super::{Child, RootState};

/// How a child is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which one.
    pub child: Child,
    /// Whether it runs, or waits for its restart.
    pub is_running: bool,
    /// Whether it is held dead, because a test or an operator says so.
    pub is_held: bool,
    /// How many duties it has.
    pub duties: usize,
    /// How often it was restarted since it was last well.
    pub restarts: u32,
    /// Why it died last.
    pub last_death: Option<String>,
}

/// How all of them are; the Manager is listed where he ought to be, even when he is held dead.
pub(super) fn of(state: &RootState) -> Vec<Standing> {
    let duties = |child: &Child| match child {
        Child::Persona(holder) => state.held.get(holder).map_or(0, BTreeSet::len),
        Child::Janitor => 0,
    };
    let manager = Child::Persona(Holder::Manager);
    let held = (state.seat.is_held && state.term.is_some()).then(|| Standing {
        duties: duties(&manager),
        child: manager,
        is_running: false,
        is_held: true,
        restarts: 0,
        last_death: Some("held dead".to_owned()),
    });
    let children = state.children.iter().map(|(child, running)| Standing {
        child: child.clone(),
        is_running: running.handle.is_some(),
        is_held: false,
        duties: duties(child),
        restarts: running.backoff.tries(),
        last_death: running.last_death.clone(),
    });
    held.into_iter().chain(children).collect()
}
