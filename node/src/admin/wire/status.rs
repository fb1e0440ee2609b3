//! How the node and its cluster are.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CaseOutcome, Moment};

/// How the node and its cluster are, as this node knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The node that answers.
    pub node: NodeView,
    /// The cluster as it sees it.
    pub cluster: ClusterStatus,
    /// Its ledger.
    pub ledger: LedgerView,
    /// Teams.
    pub teams: u64,
    /// Workers by what they are at.
    pub workers: WorkerCounts,
    /// Cases by how far they are.
    pub cases: CaseCounts,
    /// The entry up to which teams, workers and cases were counted.
    pub counted_index: u64,
    /// What waits for a human, the oldest first; of very many, the first ones.
    pub waits: Vec<HumanWait>,
    /// How many cases wait for a human in all.
    pub waits_in_all: u64,
    /// What does not go as it should, and what to do about it.
    pub troubles: Vec<Trouble>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeView {
    /// Its number.
    #[schema(example = "n-1")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// The release of its daemon.
    pub release: String,
    /// What runs its containers, and how they are confined.
    pub engine: String,
    /// When its daemon was started.
    pub started: Moment,
    /// What goes on in its daemon at once: tasks of the runtime.
    #[serde(default)]
    pub tasks: u64,
}

/// Who governs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterStatus {
    /// The node of the leader and the Manager; absent while there is none.
    pub leader: Option<String>,
    /// The leader's term.
    pub term: u64,
    /// Since when.
    pub leader_since: Option<Moment>,
    /// Why it is that one, or why there is none.
    pub leader_because: String,
    /// The nodes that have joined.
    pub nodes: Vec<NodeLine>,
    /// The version of the rules' behaviour that all nodes use.
    #[serde(default)]
    pub rules_version: u32,
    /// The nodes that do not know the newest version that the answering node knows: the cluster's
    /// rises to it once they do.
    #[serde(default)]
    pub rules_held_by: Vec<String>,
    /// That it began again, from a backup or on one node, the newest last.
    #[serde(default)]
    pub beginnings: Vec<BeginningView>,
}

/// That a cluster began again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BeginningView {
    /// The entry that says so.
    pub index: u64,
    /// When.
    pub at: Moment,
    /// The node that it began again with.
    pub node: String,
    /// What from, in words.
    pub cause: String,
    /// Who had it done.
    pub by: String,
    /// The nodes that are no part of it any more.
    pub gone: Vec<String>,
    /// Attempts that were taken back.
    pub attempts: u64,
    /// Cases that were held.
    pub held: u64,
}

/// A node in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeLine {
    /// Its number.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The release of its daemon.
    pub release: String,
    /// The newest version of the rules' behaviour that it knows.
    #[serde(default)]
    pub rules_known: u32,
    /// `up`, `suspect` or `down`.
    #[serde(default)]
    pub health: String,
    /// Whether it is being left by all that is on it.
    #[serde(default)]
    pub is_drained: bool,
    /// `auto`, `voter` or `learner`: what it was made by a human.
    #[serde(default)]
    pub role: String,
    /// Whether it votes now.
    #[serde(default)]
    pub is_voter: bool,
    /// Where other nodes reach it.
    #[serde(default)]
    pub address: Option<String>,
    /// Butlers placed on it.
    pub butlers: u64,
    /// Workers placed on it.
    pub workers: u64,
    /// CPU promised to them, in thousandths of a core.
    pub cpu_promised_milli: u64,
    /// CPU that it has for them.
    pub cpu_milli: u64,
    /// Memory promised to them.
    pub memory_promised_bytes: u64,
    /// Memory that it has for them.
    pub memory_bytes: u64,
}

/// The ledger of the node that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerView {
    /// The last entry in its log.
    pub last_index: u64,
    /// The last entry that a quorum is known to have.
    pub committed_index: u64,
    /// The last entry that its state holds.
    pub applied_index: u64,
    /// How long ago it last knew that it was up to date.
    pub age_ms: u64,
    /// Whether it takes commands; `troubles` says why not.
    pub is_writable: bool,
    /// How often it waited for the disk (fdatasync) since the daemon was started.
    #[serde(default)]
    pub syncs: u64,
}

/// Workers by what they are at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerCounts {
    /// All of them.
    pub total: u64,
    /// Without a node.
    pub homeless: u64,
    /// Without a container until they are needed.
    pub asleep: u64,
    /// Awake without work.
    pub idle: u64,
    /// At work.
    pub busy: u64,
}

/// Cases by how far they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseCounts {
    /// Without a plan.
    pub open: u64,
    /// With a plan, nothing begun.
    pub planned: u64,
    /// Something begun.
    pub running: u64,
    /// Waiting for a human.
    pub waiting: u64,
    /// Nothing left but the report.
    pub reporting: u64,
    /// Over, since the cluster began.
    pub closed: u64,
}

/// A case that waits for a human.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HumanWait {
    /// The case.
    pub case: String,
    /// Its team.
    pub team: Option<String>,
    /// What it is about.
    pub title: String,
    /// The stages that wait for an approval; none where the case is held.
    pub stages: Vec<String>,
    /// What to do.
    pub hint: String,
}

/// Something that does not go as it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trouble {
    /// What, in a sentence.
    pub what: String,
    /// What to do about it.
    pub hint: String,
    /// When it was seen last.
    pub seen: Moment,
    /// How often it was seen since the daemon was started.
    pub count: u64,
}

/// The ledger's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Clock {
    /// The ledger's time: the part of a request id after `@`.
    pub clock_ms: u64,
    /// The last entry that the answer knows.
    pub applied_index: u64,
    /// The node's wall clock.
    pub wall: Moment,
}

impl CaseCounts {
    /// Cases that are not closed.
    pub fn not_closed(&self) -> u64 {
        self.open + self.planned + self.running + self.waiting + self.reporting
    }
}

impl CaseOutcome {
    /// Whether the case came to what it was opened for.
    pub fn is_success(self) -> bool {
        self == Self::Succeeded
    }
}
