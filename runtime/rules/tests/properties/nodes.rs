//! What is said about nodes and tokens.

use rules::beginning::Cause;
use rules::id::NodeId;
use rules::node::{Health, NodeFacts, Role};
use rules::target::WayOut;
use rules::{Command, Principal, Who};

use crate::lab::Lab;
use crate::pool::{self, one, raw};
use crate::speech::manager;
use crate::wish::Pick;

/// Somebody does something to a node or a token.
pub fn command(lab: &Lab, how: Pick, which: Pick, what: Pick) -> Option<(Principal, Command)> {
    let state = &lab.state;
    if how == u8::MAX - 1 {
        let to = state.version + u32::from(what % 3);
        return Some((Principal::own(Who::Ledger), Command::RaiseVersion { to }));
    }
    if how == u8::MAX {
        return begin_again(lab, which, what);
    }
    let nodes: Vec<NodeId> = state.nodes.keys().copied().collect();
    let node = one(&nodes, which)?;
    let sam = pool::sam();
    let reason = "seen so".to_owned();
    let judge = |health| {
        let present = state.nodes[&node].facts.incarnation;
        let command = Command::JudgeNode {
            node,
            incarnation: present.saturating_sub(u64::from(what.is_multiple_of(16))),
            health,
            reason: "seen so".to_owned(),
        };
        (manager(lab), command)
    };
    if how % 16 == 15 {
        return Some(tell_way_out(lab, node, what));
    }
    Some(match how % 16 {
        0 => (
            sam,
            Command::MintToken {
                token: raw(["t1", "t2", "../.."][usize::from(which) % 3]),
                hash: hash(what),
                valid_ms: u64::from(what) * 1000,
            },
        ),
        1 => {
            let token = raw(["t1", "t2"][usize::from(which) % 2]);
            (sam, Command::RevokeToken { token })
        }
        2..=4 => {
            let command = Command::AdmitNode {
                hash: hash(what),
                name: name(NodeId(u64::from(what % 8))),
                key: [what % 8; 32],
            };
            (Principal::own(Who::Node(node)), command)
        }
        5 | 6 => judge(Health::Suspect),
        7 | 8 => judge(Health::Down),
        9 | 10 => judge(Health::Up),
        11 | 12 => {
            let is_drained = how % 16 == 11;
            let command = Command::DrainNode {
                node,
                is_drained,
                reason,
            };
            (sam, command)
        }
        13 => {
            let is_forced = what.is_multiple_of(2);
            (sam, Command::RemoveNode { node, is_forced })
        }
        _ => {
            let role = [Role::Auto, Role::Voter, Role::Learner][usize::from(what) % 3];
            (sam, Command::SetRole { node, role })
        }
    })
}

/// A node begins the cluster again: from itself, or from a backup that it was not in.
fn begin_again(lab: &Lab, which: Pick, what: Pick) -> Option<(Principal, Command)> {
    let nodes: Vec<NodeId> = lab.state.nodes.keys().copied().collect();
    let (node, cause) = if what.is_multiple_of(3) {
        let node = NodeId(lab.state.next_node.0 + u64::from(which % 3) - u64::from(what % 2));
        let (cluster, index, taken_wall_ms) = ("old".to_owned(), 7, 0);
        let cause = Cause::Restored {
            cluster,
            index,
            taken_wall_ms,
        };
        (node, cause)
    } else {
        (one(&nodes, which)?, Cause::Recovered)
    };
    let known = lab.state.nodes.get(&node);
    let command = Command::BeginAgain {
        node,
        name: known.map_or_else(|| name(node), |known| known.facts.name.clone()),
        cause,
        by: "root".to_owned(),
    };
    Some((Principal::own(Who::Node(node)), command))
}

/// A node says which secrets it has: mostly all that there are to have.
pub fn tell_way_out(lab: &Lab, node: NodeId, how: Pick) -> (Principal, Command) {
    let all = lab.state.targets.keys().cloned();
    let secrets = match how % 5 {
        0..=2 => all.collect(),
        3 => all.skip(usize::from(how / 16)).collect(),
        _ => [raw(["kube", "../.."][usize::from(how / 16) % 2])].into(),
    };
    let known = lab.state.nodes.get(&node);
    let present = known.map_or(1, |known| known.facts.incarnation);
    let command = Command::TellWayOut {
        node,
        incarnation: present.saturating_sub(u64::from(how % 32 == 31)),
        way_out: WayOut {
            secrets,
            is_confined: how % 8 != 7,
        },
    };
    (Principal::own(Who::Node(node)), command)
}

/// The secret of a token, mostly of the one that is there from the start.
fn hash(pick: Pick) -> [u8; 32] {
    [pick % 4 / 3; 32]
}

/// What a node is called.
pub fn name(node: NodeId) -> String {
    format!("host-{}", node.0)
}

/// A node joins: one that is known, or was, or will be.
pub fn join(lab: &Lab, which: Pick, how: Pick) -> (Principal, Command) {
    let node = NodeId(u64::from(which) % (lab.state.next_node.0 + 1));
    let known = lab.state.nodes.get(&node);
    let mut facts = pool::facts(how);
    facts.node = node;
    if let Some(known) = known.filter(|_| !how.is_multiple_of(11)) {
        facts.name.clone_from(&known.facts.name);
    }
    (Principal::own(Who::Node(node)), Command::JoinNode { facts })
}

/// Everything fits on the first node, and no other is left.
pub fn heal(lab: &mut Lab) {
    let nodes: Vec<NodeFacts> = lab
        .state
        .nodes
        .values()
        .map(|node| node.facts.clone())
        .collect();
    for (at, facts) in nodes.into_iter().enumerate() {
        let node = facts.node;
        let facts = NodeFacts {
            incarnation: u64::MAX,
            knows: facts.knows.max(lab.state.version),
            cpu_milli: 1_000_000,
            memory_bytes: u64::MAX,
            labels: [("zone".to_owned(), "a".to_owned())].into(),
            ..facts
        };
        let itself = Principal::own(Who::Node(node));
        lab.propose(0, itself, Command::JoinNode { facts });
        let (itself, command) = tell_way_out(lab, node, 0);
        let told = lab.propose(0, itself, command);
        assert!(told.verdict.is_ok(), "{told:?}");
        let reason = "as it should be".to_owned();
        let command = if at == 0 {
            Command::DrainNode {
                node,
                is_drained: false,
                reason,
            }
        } else {
            Command::JudgeNode {
                node,
                incarnation: u64::MAX,
                health: Health::Down,
                reason,
            }
        };
        let who = if at == 0 { pool::sam() } else { manager(lab) };
        let applied = lab.propose(0, who, command);
        assert!(applied.verdict.is_ok(), "{applied:?}");
    }
}
