//! What does not go as it should in the cluster, as this node sees it, and what to do about it.

use std::fmt::Write as _;

use rules::State;
use rules::id::NodeId;
use rules::node::Health;
use runtime::clock;
use runtime::ledger::{LedgerStatus, StorageStatus};

use super::wire::{Moment, Trouble};

/// Nodes that are named in one trouble; of more, only how many.
const MAX_NAMED: usize = 8;

/// The troubles of the ledger and of the nodes, the gravest first.
pub(super) fn of(ledger: &LedgerStatus, state: &State) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    if let StorageStatus::Refusing { why, since } = &ledger.storage {
        troubles.push(Trouble {
            what: format!("the ledger takes no commands: {why}"),
            hint: "make room on the disk, or look at it; no restart is needed".to_owned(),
            seen: Moment::from_ms(since.0),
            count: 1,
        });
    }
    troubles.extend(no_leader(ledger, state));
    troubles.extend(ill(state));
    troubles
}

/// Without a leader nothing is acknowledged.
fn no_leader(ledger: &LedgerStatus, state: &State) -> Option<Trouble> {
    if ledger.leader.is_some() {
        return None;
    }
    let majority = ledger.voters.len() / 2 + 1;
    let names = named(ledger.voters.iter().map(|id| name(state, *id)));
    let what = format!(
        "no node leads: {majority} of the {} voters ({names}) must reach each other; nothing is \
         acknowledged until then, and after 3 s agents are frozen",
        ledger.voters.len()
    );
    let hint = "start the daemons of those that do not run, and look at the network between them \
                (TCP, the addresses of `domo node list`); then all goes on by itself";
    Some(now(what, hint.to_owned()))
}

/// Nodes that are not as they should be.
fn ill(state: &State) -> Option<Trouble> {
    let nodes = state.nodes.iter();
    let mut ill = nodes
        .filter(|(_, node)| node.health != Health::Up)
        .peekable();
    ill.peek()?;
    let names = named(ill.map(|(id, node)| {
        let mut said = format!("{} is {}", name(state, *id), node.health);
        if !node.health_because.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(said, " ({})", node.health_because);
        }
        said
    }));
    let hint = "its teams and stages go on elsewhere; start its daemon or mend its network, or \
                `domo node remove` it if it is gone for good";
    Some(now(names, hint.to_owned()))
}

fn now(what: String, hint: String) -> Trouble {
    Trouble {
        what,
        hint,
        seen: Moment::from_ms(clock::wall().0),
        count: 1,
    }
}

fn name(state: &State, id: NodeId) -> String {
    let node = state.nodes.get(&id);
    node.map_or_else(|| id.to_string(), |node| node.facts.name.clone())
}

fn named(names: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = names.collect();
    let mut text = all[..all.len().min(MAX_NAMED)].join(", ");
    if all.len() > MAX_NAMED {
        // Writing to a string cannot fail.
        let _ = write!(text, " and {} more", all.len() - MAX_NAMED);
    }
    text
}
