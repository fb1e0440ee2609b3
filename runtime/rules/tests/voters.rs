//! Who votes, for any nodes and any that vote now.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use rules::id::{ClockMs, NodeId};
use rules::members::voters;
use rules::node::{Health, Node, NodeFacts, Role};
use rules::{State, limits};

/// More than may vote, so that every limit is met.
const MOST_NODES: usize = 12;

/// Any nodes, and which of them vote now.
fn any_nodes() -> impl Strategy<Value = (State, BTreeSet<NodeId>)> {
    let node = (0..3_u8, 0..3_u8, 0..4_u64, any::<bool>(), any::<bool>());
    vec(node, 0..MOST_NODES).prop_map(|drawn| {
        let mut state = State::default();
        let mut present = BTreeSet::new();
        for (number, (role, health, incarnation, is_drained, votes)) in (1..).zip(drawn) {
            let id = NodeId(number);
            let role = [Role::Auto, Role::Voter, Role::Learner][usize::from(role)];
            let health = [Health::Up, Health::Suspect, Health::Down][usize::from(health)];
            let node = node_of(id, role, health, incarnation);
            let drained = is_drained.then(String::new);
            state.nodes.insert(id, Node { drained, ..node });
            if votes {
                present.insert(id);
            }
        }
        (state, present)
    })
}

fn node_of(node: NodeId, role: Role, health: Health, incarnation: u64) -> Node {
    Node {
        facts: NodeFacts {
            node,
            name: format!("host-{node}"),
            incarnation,
            release: String::new(),
            knows: 1,
            engine: String::new(),
            cpu_milli: 0,
            memory_bytes: 0,
            labels: BTreeMap::new(),
            address: None,
        },
        key: None,
        role,
        health,
        health_because: String::new(),
        health_since: ClockMs(0),
        drained: None,
        cpu_promised_milli: 0,
        memory_promised_bytes: 0,
        workers: BTreeSet::new(),
        butlers: BTreeSet::new(),
        way_out: None,
    }
}

proptest! {
    #[test]
    fn an_odd_number_of_those_who_may_votes_and_nobody_else((state, present) in any_nodes()) {
        let voters = voters(&state, &present);
        let could = state.nodes.values().filter(|node| node.may_vote()).count();
        prop_assert_eq!(voters.is_empty(), could == 0);
        prop_assert!(voters.is_empty() || voters.len() % 2 == 1);
        prop_assert!(voters.len() <= limits::MAX_VOTERS);
        prop_assert!(voters.iter().all(|voter| state.nodes[voter].may_vote()));
    }

    #[test]
    fn asked_again_it_answers_the_same((state, present) in any_nodes()) {
        let once = voters(&state, &present);
        prop_assert_eq!(voters(&state, &once), once);
    }

    #[test]
    fn nobody_stops_voting_for_somebody_no_better((state, present) in any_nodes()) {
        let chosen = voters(&state, &present);
        let pinned = |id: &NodeId| state.nodes[id].role == Role::Voter;
        let gone = present.difference(&chosen);
        let gone: Vec<_> = gone.filter(|id| state.nodes[id].may_vote()).collect();
        for new in chosen.difference(&present) {
            prop_assert!(gone.iter().all(|old| pinned(new) && !pinned(old)), "{new}: {gone:?}");
        }
    }

    #[test]
    fn nobody_begins_to_vote_while_it_is_away((state, present) in any_nodes()) {
        let has_others = state.nodes.values().any(|node| {
            node.may_vote() && (node.health == Health::Up || present.contains(&node.facts.node))
        });
        for new in voters(&state, &present).difference(&present) {
            prop_assert!(!has_others || state.nodes[new].health == Health::Up, "{new}");
        }
    }
}
