//! What people describe: teams, workers and playbooks, and the agents behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{
    BlobRef, CaseId, Epoch, NodeId, PlaybookName, SkillName, StageName, TeamName, WorkerId,
    WorkerName,
};
use crate::stage::{Need, StageSpec};

/// An agent: the program of a worker, and who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSpec {
    /// The kernel that knows how it is configured, started and read.
    pub kernel: String,
    /// The program and its arguments; what they mean is the kernel's matter.
    pub command: Vec<String>,
    /// The container's image; `scratch` is an empty one.
    pub image: String,
    /// Settings of the program; never secrets.
    pub env: BTreeMap<String, String>,
    /// Who it is.
    pub soul: Option<BlobRef>,
    /// What it can do: the files of each skill, by their path in the skill's folder.
    pub skills: BTreeMap<SkillName, Vec<SkillFile>>,
    /// What its container may take.
    pub limits: AgentLimits,
}

impl AgentSpec {
    /// Whether a container made for one serves the other: the time of an attempt is no part of it.
    pub(crate) fn has_container_of(&self, other: &Self) -> bool {
        let timed = AgentLimits {
            wall_ms: other.limits.wall_ms,
            ..self.limits
        };
        let same = Self {
            limits: timed,
            ..self.clone()
        };
        same == *other
    }
}

/// One file of a skill's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkillFile {
    /// Where in the folder.
    pub path: String,
    /// Its bytes.
    pub blob: BlobRef,
}

/// What a container may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentLimits {
    /// Thousandths of a core.
    pub cpu_milli: u64,
    /// Memory.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub pids: u64,
    /// Everything that an attempt writes.
    pub output_bytes: u64,
    /// Time of an attempt; where its stage has a limit too, the smaller one counts.
    pub wall_ms: u64,
}

/// What people say of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamSpec {
    /// Its name.
    pub name: TeamName,
    /// What it is for, in a line.
    pub title: String,
    /// Words of a brief that speak for this team, where a case names none.
    pub topics: Vec<String>,
    /// The butler's name.
    pub butler: WorkerName,
    /// The butler's own agent, which plans where no playbook does.
    pub agent: Option<AgentSpec>,
    /// The playbook of a case that names none.
    pub playbook: Option<PlaybookName>,
    /// Labels that a node must have.
    pub labels: BTreeMap<String, String>,
}

/// What people say of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerSpec {
    /// Its team and name.
    pub id: WorkerId,
    /// What it is, in a line.
    pub title: String,
    /// Its agent.
    pub agent: AgentSpec,
    /// Attempts that it runs at once.
    pub parallel: u32,
    /// How long it stays awake without work.
    pub idle_after_ms: u64,
    /// Labels that a node must have.
    pub labels: BTreeMap<String, String>,
}

/// A plan written down in advance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaybookSpec {
    /// The team it belongs to.
    pub team: TeamName,
    /// Its name there.
    pub name: PlaybookName,
    /// What it is for, in a line.
    pub title: String,
    /// Its stages.
    pub stages: Vec<StageSpec>,
}

/// One thing that people describe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Document {
    /// A team with its butler.
    Team(TeamSpec),
    /// A worker.
    Worker(WorkerSpec),
    /// A playbook.
    Playbook(PlaybookSpec),
}

/// Which document; the order is that of removal: what leans on another comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DocumentName {
    /// A playbook of a team.
    Playbook(TeamName, PlaybookName),
    /// A worker.
    Worker(WorkerId),
    /// A team.
    Team(TeamName),
}

impl Document {
    /// Its name.
    pub fn name(&self) -> DocumentName {
        match self {
            Self::Team(spec) => DocumentName::Team(spec.name.clone()),
            Self::Worker(spec) => DocumentName::Worker(spec.id.clone()),
            Self::Playbook(spec) => DocumentName::Playbook(spec.team.clone(), spec.name.clone()),
        }
    }
}

impl fmt::Display for DocumentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Playbook(team, name) => write!(f, "playbook {team}/{name}"),
            Self::Worker(worker) => write!(f, "worker {worker}"),
            Self::Team(team) => write!(f, "team {team}"),
        }
    }
}

/// A team of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// What people said of it.
    pub spec: TeamSpec,
    /// Its playbooks.
    pub playbooks: BTreeMap<PlaybookName, PlaybookSpec>,
    /// The node of its butler, and why there.
    pub placed: Option<(NodeId, String)>,
    /// The number of its butler's placement.
    pub epoch: Epoch,
    /// Its workers, the butler's own slot included.
    pub workers: BTreeSet<WorkerName>,
    /// Its open cases.
    pub cases: BTreeSet<CaseId>,
    /// Stages that wait for a free worker, by what they need, the oldest case first.
    pub queue: BTreeMap<Need, BTreeSet<(CaseId, StageName)>>,
    /// How many of its workers are placed on each node.
    pub spread: BTreeMap<NodeId, u64>,
    /// Bytes of blobs that it is charged with for its open cases.
    pub blob_bytes: u64,
}

impl Team {
    /// The slot of the butler's own agent.
    pub fn butler_slot(&self) -> WorkerId {
        WorkerId {
            team: self.spec.name.clone(),
            name: self.spec.butler.clone(),
        }
    }
}
