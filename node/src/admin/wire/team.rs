//! Teams and workers as people and programs read them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Freshness, PlaybookDocument};

/// A team in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamLine {
    /// Its name.
    #[schema(example = "sre")]
    pub name: String,
    /// What it is for.
    pub title: String,
    /// The butler's name.
    pub butler: String,
    /// The node of its butler, once it has one.
    pub node: Option<String>,
    /// Its workers, the butler's own slot apart.
    pub workers: u64,
    /// Its open cases.
    pub open_cases: u64,
    /// Stages that wait for a free worker.
    pub waiting_stages: u64,
}

/// Some teams, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamPage {
    /// The teams.
    pub teams: Vec<TeamLine>,
    /// Give this as `after` to read on; absent at the end.
    pub next: Option<String>,
    /// How old the answer is.
    pub freshness: Freshness,
}

/// Everything about a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamView {
    /// The team in a line.
    #[serde(flatten)]
    pub line: TeamLine,
    /// Words of a brief that speak for it.
    pub topics: Vec<String>,
    /// The playbook of a case that names none.
    pub playbook: Option<String>,
    /// Labels that a node must have.
    pub labels: BTreeMap<String, String>,
    /// The number of its butler's placement.
    pub epoch: u64,
    /// Why its butler is where it is.
    pub placed_because: Option<String>,
    /// The butler's own agent, which plans where no playbook does.
    pub agent: Option<AgentView>,
    /// Its playbooks.
    pub playbooks: Vec<PlaybookDocument>,
    /// Its workers.
    pub members: Vec<WorkerLine>,
    /// How old the answer is.
    pub freshness: Freshness,
}

/// What a worker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WorkerStatus {
    /// It has no node.
    Homeless,
    /// It has a node and no container: it wakes when it is given a stage.
    Asleep,
    /// Its container is kept running, and it has no work.
    Idle,
    /// It runs attempts.
    Busy,
    /// A word of a later release.
    #[serde(other)]
    Unnamed,
}

/// A worker in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerLine {
    /// Its team and name.
    #[schema(example = "sre/k8s-root-cause")]
    pub id: String,
    /// What it is.
    pub title: String,
    /// What it is at.
    pub status: WorkerStatus,
    /// Whether it is the slot of a butler's own agent.
    pub is_butler: bool,
    /// Its node, once it has one.
    pub node: Option<String>,
    /// The number of its placement.
    pub epoch: u64,
    /// Its live attempts.
    #[schema(example = json!(["c-1.2"]))]
    pub running: Vec<String>,
    /// Attempts that it runs at once.
    pub parallel: u32,
    /// What it can do.
    pub skills: Vec<String>,
}

/// Some workers, in the order of their teams and names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerPage {
    /// The workers.
    pub workers: Vec<WorkerLine>,
    /// Give this as `after` to read on; absent at the end.
    pub next: Option<String>,
    /// How old the answer is.
    pub freshness: Freshness,
}

/// Everything about a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerView {
    /// The worker in a line.
    #[serde(flatten)]
    pub line: WorkerLine,
    /// Its agent.
    pub agent: AgentView,
    /// How long it stays awake without work.
    pub idle_after_ms: u64,
    /// Labels that a node must have.
    pub labels: BTreeMap<String, String>,
    /// Why it is where it is.
    pub placed_because: Option<String>,
    /// How old the answer is.
    pub freshness: Freshness,
}

/// An agent: the program of a worker, and who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentView {
    /// The kernel that knows how it is configured, started and read.
    pub kernel: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The container's image.
    pub image: String,
    /// Settings of the program; never secrets.
    pub env: BTreeMap<String, String>,
    /// The digest of its SOUL.
    pub soul: Option<String>,
    /// Its skills: the files of each, by path, with their digests.
    pub skills: BTreeMap<String, BTreeMap<String, String>>,
    /// What its container may take.
    pub limits: AgentLimits,
}

/// What a container and an attempt may take; what is absent in a document is the node's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentLimits {
    /// Thousandths of a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_milli: Option<u64>,
    /// Memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pids: Option<u64>,
    /// Everything that an attempt writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// The time limit of an attempt; where its stage has one too, the smaller one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
}
