//! The state: the truth of the cluster, the same on every node that has applied the same entries.
//!
//! # Invariant
//! Only `apply` changes it; whatever is in it is ordered, so that equal states are equal bytes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::audit::Chain;
use crate::beginning::Beginning;
use crate::case::Case;
use crate::chaos;
use crate::human::People;
use crate::id::{
    AttemptId, CaseId, ClockMs, Epoch, HumanName, NodeId, TargetName, TeamName, TokenName, WorkerId,
};
use crate::node::Node;
use crate::request::Requests;
use crate::room::Rooms;
use crate::target::{Target, misfit};
use crate::team::Team;
use crate::token::Token;
use crate::version;
use crate::worker::Worker;

/// What the ledger's clock wakes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Alarm {
    /// An attempt's time limit.
    Deadline(AttemptId),
    /// The end of a worker's idle time.
    Idle(WorkerId),
    /// The end of a token's life.
    Token(TokenName),
    /// The end of the life of a human's token.
    HumanToken(HumanName, TokenName),
    /// The end of the wait for the rest of a roster.
    Roster([u8; 32]),
    /// The end of a chaos run, which is in the state as long as this is.
    Chaos(Box<chaos::Run>),
}

/// The truth of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The version of the rules' behaviour that the cluster has agreed on.
    pub version: u32,
    /// The place of the last entry that was applied.
    pub index: u64,
    /// The ledger's time.
    pub clock: ClockMs,
    /// Its nodes.
    pub nodes: BTreeMap<NodeId, Node>,
    /// Its teams.
    pub teams: BTreeMap<TeamName, Team>,
    /// Its workers.
    pub workers: BTreeMap<WorkerId, Worker>,
    /// Its open cases; closed ones are in the archive.
    pub cases: BTreeMap<CaseId, Case>,
    /// What is remembered of requests.
    pub requests: Requests,
    /// What the clock wakes, the soonest first.
    pub alarms: BTreeSet<(ClockMs, Alarm)>,
    /// The number of the next case.
    pub next_case: CaseId,
    /// The last epoch given: one that ends is never given again, even to a new worker of an old name.
    pub last_epoch: Epoch,
    /// How many cases were closed.
    pub closed_cases: u64,
    /// The number of the next node.
    pub next_node: NodeId,
    /// Nodes that were taken out of the cluster; their numbers are never used again.
    pub removed: BTreeSet<NodeId>,
    /// What agents may reach.
    pub targets: BTreeMap<TargetName, Target>,
    /// With what new nodes may join.
    pub tokens: BTreeMap<TokenName, Token>,
    /// Its people and their roles, and what the organisation forbids them.
    pub people: People,
    /// How often it began again, and from what; the newest last.
    pub beginnings: Vec<Beginning>,
    /// The end of the record of all that was asked.
    pub audit: Chain,
    /// Closed cases whose texts are erased wherever they are kept.
    pub erased: BTreeSet<CaseId>,
    /// Where its people and personas talk.
    pub rooms: Rooms,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: version::FIRST,
            index: 0,
            clock: ClockMs::default(),
            nodes: BTreeMap::new(),
            teams: BTreeMap::new(),
            workers: BTreeMap::new(),
            cases: BTreeMap::new(),
            requests: Requests::default(),
            alarms: BTreeSet::new(),
            next_case: CaseId(1),
            last_epoch: Epoch::default(),
            closed_cases: 0,
            next_node: NodeId(1),
            removed: BTreeSet::new(),
            targets: BTreeMap::new(),
            tokens: BTreeMap::new(),
            people: People::default(),
            beginnings: Vec::new(),
            audit: Chain::default(),
            erased: BTreeSet::new(),
            rooms: Rooms::default(),
        }
    }
}

impl State {
    /// How soon the ledger's clock must be counted again: none when nothing waits for it.
    pub fn ticks_wanted(&self) -> Option<ClockMs> {
        self.alarms.first().map(|(due, _)| *due)
    }

    /// Whether a container of this epoch of this worker has its place on this node.
    pub fn keeps_container(&self, node: NodeId, worker: &WorkerId, epoch: Epoch) -> bool {
        self.workers.get(worker).is_some_and(|worker| {
            worker.epoch == epoch && worker.placed.as_ref().is_some_and(|(at, _)| *at == node)
        })
    }

    /// Whether a node of that number was taken out of the cluster.
    pub fn is_removed(&self, node: NodeId) -> bool {
        self.removed.contains(&node)
    }

    /// Whether a worker can be given one more attempt now: it has room, its node is trusted, and it
    /// can reach its targets from there.
    pub fn has_room(&self, worker: &Worker) -> bool {
        let node = worker.placed.as_ref();
        let node = node.and_then(|(node, _)| self.nodes.get(node));
        let fits =
            |node: &Node| node.takes_new() && misfit(self, node, &worker.spec.id.team).is_none();
        worker.running.len() < worker.spec.parallel as usize && node.is_some_and(fits)
    }

    /// An epoch that nobody had.
    pub(crate) fn new_epoch(&mut self) -> Epoch {
        self.last_epoch = self.last_epoch.next();
        self.last_epoch
    }
}
