//! What does not go as it should in the cluster, as this node sees it, and what to do about it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rules::State;
use rules::chaos::Run;
use rules::id::NodeId;
use rules::node::Health;
use runtime::clock;
use runtime::ledger::{LedgerStatus, StorageStatus};
use runtime::links::Refusal;

use super::wire::{Moment, Trouble};

/// Nodes that are named in one trouble; of more, only how many.
const MAX_NAMED: usize = 8;

/// The troubles of the ledger and of the nodes, the gravest first.
pub(super) fn of(
    ledger: &LedgerStatus,
    state: &State,
    refusals: &BTreeMap<NodeId, Refusal>,
) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    if let StorageStatus::Refusing { why, since } = &ledger.storage {
        troubles.push(Trouble {
            what: format!("the ledger takes no commands: {why}"),
            hint: "make room on the disk, or look at it; no restart is needed".to_owned(),
            seen: Moment::from_ms(since.0),
            count: 1,
        });
    }
    troubles.extend(no_leader(ledger, state, refusals));
    troubles.extend(ill(state));
    troubles.extend(broken_on_purpose(state));
    troubles
}

/// What is seen while a chaos run goes on may be its doing.
fn broken_on_purpose(state: &State) -> Option<Trouble> {
    let run = Run::of(state)?;
    let what = format!(
        "things are broken on purpose: chaos run {} of plan {}, by {}",
        run.id, run.plan.name, run.by
    );
    Some(now(what, "`domo chaos stop` ends it".to_owned()))
}

/// Without a leader nothing is acknowledged.
fn no_leader(
    ledger: &LedgerStatus,
    state: &State,
    refusals: &BTreeMap<NodeId, Refusal>,
) -> Option<Trouble> {
    if ledger.leader.is_some() {
        return None;
    }
    if let Some((id, why)) = refusals.iter().find(|(_, why)| is_for_good(**why)) {
        return Some(left_behind(&name(state, *id), *why));
    }
    let majority = ledger.voters.len() / 2 + 1;
    let names = named(ledger.voters.iter().map(|id| name(state, *id)));
    let what = format!(
        "no node leads: {majority} of the {} voters ({names}) must reach each other; nothing is \
         acknowledged until then, and after 3 s agents are frozen",
        ledger.voters.len()
    );
    let hint = "start the daemons of those that do not run, and look at the network between them \
                (TCP, the addresses of `domo node list`); then all goes on by itself. If the others \
                have a leader, they have gone on without this node: have it join anew";
    Some(now(what, hint.to_owned()))
}

/// Whether somebody says that this node is no part of their cluster.
fn is_for_good(why: Refusal) -> bool {
    [
        Refusal::Removed,
        Refusal::WrongAuthority,
        Refusal::WrongCluster,
    ]
    .contains(&why)
}

fn left_behind(by: &str, why: Refusal) -> Trouble {
    let what = format!(
        "no node leads: this node reaches no majority, and {by} refuses it ({why}); it was removed, \
         or the cluster began again without it"
    );
    let hint = "nothing is acknowledged here and no agent runs: look on another node with `domo node \
                list`; if this one is not in it, stop its daemon, move its data folder away and have \
                it join anew with `domo node join`";
    now(what, hint.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn without_leader() -> LedgerStatus {
        LedgerStatus {
            term: 3,
            leader: None,
            is_leader: false,
            voters: [1, 2, 3].map(NodeId).into(),
            applied: 9,
            committed: 9,
            is_changing: false,
            purged: 0,
            last_log: 9,
            snapshot_index: 0,
            log_bytes: 0,
            syncs: 0,
            storage: StorageStatus::Ok,
        }
    }

    #[test]
    fn a_node_that_is_refused_for_good_is_told_to_join_anew_and_any_other_to_look_for_the_others() {
        let (ledger, state) = (without_leader(), State::default());
        let told = |why| {
            let refusals = BTreeMap::from([(NodeId(2), why)]);
            of(&ledger, &state, &refusals).remove(0)
        };
        for why in [Refusal::Removed, Refusal::WrongAuthority] {
            let trouble = told(why);
            assert!(
                trouble
                    .what
                    .contains("reaches no majority, and n-2 refuses it"),
                "{trouble:?}"
            );
            assert!(trouble.hint.contains("`domo node join`"), "{trouble:?}");
        }
        let trouble = told(Refusal::OldProtocol);
        assert!(
            trouble.what.contains("2 of the 3 voters (n-1, n-2, n-3)"),
            "{trouble:?}"
        );
        let mut led = without_leader();
        led.leader = Some(NodeId(2));
        let refusals = BTreeMap::from([(NodeId(3), Refusal::Removed)]);
        assert!(of(&led, &state, &refusals).is_empty());
    }
}
