//! Who takes part in consensus: it follows the nodes that the state knows.
//!
//! # Invariant
//! Only the leader changes it, and a node becomes a voter only when it has nearly the whole log: a
//! quorum never waits for one that has just come.

use std::collections::BTreeSet;
use std::time::Duration;

use openraft::ChangeMembers;
use openraft::async_runtime::watch::WatchReceiver as _;
use rules::id::NodeId;
use rules::members::voters;

use super::Inner;
use super::options::ProposeError;
use crate::world::timeout;

/// Entries that a node may lack and still become a voter: some milliseconds' worth.
const NEARLY_ENTRIES: u64 = 500;
/// Longest wait for a change of members: two commits, on slow disks.
const CHANGE_LIMIT: Duration = Duration::from_secs(10);

/// What is to be changed next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Have the log sent to these too.
    Listen(BTreeSet<u64>),
    /// Have these vote.
    Vote(BTreeSet<u64>),
    /// Send these nothing more.
    Leave(BTreeSet<u64>),
}

/// Who is in consensus now.
#[derive(Debug, Default)]
struct Present {
    /// Those of before and those of after, in the middle of a change.
    voters: BTreeSet<u64>,
    /// A change of voters was begun and not ended: both quorums are needed until it is.
    is_changing: bool,
    all: BTreeSet<u64>,
    /// Those who have nearly the whole log.
    caught_up: BTreeSet<u64>,
}

impl Present {
    /// One who votes now and shall go on voting, and has nearly the whole log.
    fn heir(&self, wanted: &BTreeSet<u64>) -> Option<u64> {
        let mut heirs = self.voters.intersection(wanted);
        heirs.find(|node| self.caught_up.contains(node)).copied()
    }
}

impl Inner {
    /// Takes one step towards the members that the state wants; says whether nothing is left to do.
    pub(super) async fn align(&self) -> bool {
        // Nodes that cannot be reached are not taken in: who begins again alone has them in its state
        // until that is recorded.
        if !self.is_leader() || !self.links.lead_anywhere() {
            return true;
        }
        let present = self.present();
        let (known, wanted) = self.machine.read(|state| {
            let present = present.voters.iter().copied().map(NodeId).collect();
            let known: BTreeSet<u64> = state.nodes.keys().map(|node| node.0).collect();
            let wanted = voters(state, &present).iter().map(|node| node.0).collect();
            (known, wanted)
        });
        let Some(step) = next(&present, &known, &wanted) else {
            return true;
        };
        if let Step::Vote(voters) = &step
            && !voters.contains(&self.node.0)
            && let Some(heir) = present.heir(voters)
        {
            // Whoever leads next goes on.
            let _ = self.hand_over(Some(NodeId(heir))).await;
            return false;
        }
        let change = match &step {
            Step::Listen(nodes) => {
                ChangeMembers::AddNodes(nodes.iter().map(|node| (*node, ())).collect())
            }
            Step::Vote(nodes) => {
                if !nodes.is_subset(&present.caught_up) {
                    return false;
                }
                ChangeMembers::ReplaceAllVoters(nodes.clone())
            }
            Step::Leave(nodes) => ChangeMembers::RemoveNodes(nodes.clone()),
        };
        tracing::info!(?step, "the members of consensus change");
        let changing = self.door.raft().change_membership(change, true);
        match timeout(CHANGE_LIMIT, changing).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(?step, "the members do not change yet: {error}"),
            Err(_) => tracing::warn!(?step, "the members do not change within {CHANGE_LIMIT:?}"),
        }
        false
    }

    fn present(&self) -> Present {
        let metrics = self.door.raft().metrics();
        let metrics = metrics.borrow_watched();
        let membership = metrics.membership_config.membership();
        let last = metrics.last_log_index.unwrap_or(0);
        let matched = metrics.replication.iter().flatten();
        let mut caught_up: BTreeSet<u64> = matched
            .filter_map(|(node, place)| place.as_ref().map(|place| (*node, place.index())))
            .filter(|(_, index)| last.saturating_sub(*index) <= NEARLY_ENTRIES)
            .map(|(node, _)| node)
            .collect();
        caught_up.insert(self.node.0);
        Present {
            voters: membership.voter_ids().collect(),
            is_changing: membership.get_joint_config().len() > 1,
            all: membership.nodes().map(|(node, ())| *node).collect(),
            caught_up,
        }
    }

    /// Hands leadership to another voter: to the one named, or to one that has the whole log.
    pub(super) async fn hand_over(&self, to: Option<NodeId>) -> Result<(), ProposeError> {
        let present = self.present();
        let mut fit = present.voters.intersection(&present.caught_up);
        let other = fit.find(|node| **node != self.node.0).copied();
        let Some(to) = to.map(|to| to.0).or(other) else {
            return Err(ProposeError::NoLeader { leader: None });
        };
        let asked = self.door.raft().trigger().transfer_leader(to).await;
        asked.map_err(|_| ProposeError::Stopped)
    }
}

/// The next step; none when everybody is where they should be.
fn next(present: &Present, known: &BTreeSet<u64>, wanted: &BTreeSet<u64>) -> Option<Step> {
    if known.is_empty() || wanted.is_empty() {
        // A cluster that is being founded.
        return None;
    }
    let new: BTreeSet<u64> = known.difference(&present.all).copied().collect();
    if !new.is_empty() {
        return Some(Step::Listen(new));
    }
    // Whoever began a change may have died in the middle of it: who leads now ends it, though all who
    // shall vote are among those who do.
    if *wanted != present.voters || present.is_changing {
        return Some(Step::Vote(wanted.clone()));
    }
    let gone: BTreeSet<u64> = present.all.difference(known).copied().collect();
    (!gone.is_empty()).then_some(Step::Leave(gone))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rules::node::NodeFacts;
    use rules::{Command, Who};

    use super::*;
    use crate::ledger::StoreKind;
    use crate::ledger::tests::{ada, open, options, proposal};

    #[test]
    fn a_change_of_voters_that_was_begun_is_ended_though_all_who_shall_vote_do() {
        let all = BTreeSet::from([1, 2, 3]);
        let mut present = Present {
            voters: all.clone(),
            is_changing: true,
            all: all.clone(),
            caught_up: all.clone(),
        };
        assert_eq!(next(&present, &all, &all), Some(Step::Vote(all.clone())));
        present.is_changing = false;
        assert_eq!(next(&present, &all, &all), None);
    }

    #[tokio::test]
    async fn a_ledger_without_links_takes_no_other_node_into_its_consensus() {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, _changes) = open(&options(&dir, StoreKind::Sled)).await;
        let (own, hash) = (NodeId(7), [1; 32]);
        let facts = NodeFacts {
            node: own,
            name: "alpha".to_owned(),
            incarnation: 1,
            release: "0".to_owned(),
            knows: rules::version::NEWEST,
            engine: "none".to_owned(),
            cpu_milli: 1000,
            memory_bytes: 1 << 30,
            labels: BTreeMap::new(),
            address: None,
        };
        let mint = Command::MintToken {
            token: "first".parse().unwrap(),
            hash,
            valid_ms: 600_000,
        };
        let admit = Command::AdmitNode {
            hash,
            name: "beta".to_owned(),
            key: [2; 32],
        };
        for (who, command) in [
            (Who::Node(own), Command::JoinNode { facts }),
            (ada(), mint),
            (Who::Node(own), admit),
        ] {
            let verdict = ledger.propose(proposal(who, command)).await.unwrap();
            verdict.unwrap();
        }
        assert_eq!(ledger.read(|state| state.nodes.len()), 2);
        assert!(ledger.0.align().await, "there is nothing to be done");
        assert_eq!(ledger.0.present().all, BTreeSet::from([own.0]));
        ledger.close().await;
    }
}
