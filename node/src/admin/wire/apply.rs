//! Documents: what people describe, and what describing it would change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AgentLimits, Stage};

/// One thing that people describe. Files that it names were uploaded as blobs before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Document {
    /// A team with its butler.
    Team(TeamDocument),
    /// A worker.
    Worker(WorkerDocument),
    /// A playbook.
    Playbook(PlaybookDocument),
}

/// A team with its butler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamDocument {
    /// Its name.
    #[schema(example = "sre")]
    pub name: String,
    /// What it is for, in a line.
    #[serde(default)]
    pub title: String,
    /// Words of a brief that speak for it.
    #[serde(default)]
    pub topics: Vec<String>,
    /// The butler's name.
    pub butler: String,
    /// The butler's own agent, which plans where no playbook does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentDocument>,
    /// The playbook of a case that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// Labels that a node must have.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkerDocument {
    /// Its team.
    pub team: String,
    /// Its name there.
    pub name: String,
    /// What it is, in a line.
    #[serde(default)]
    pub title: String,
    /// Its agent.
    pub agent: AgentDocument,
    /// Attempts that it runs at once.
    pub parallel: u32,
    /// How long it stays awake without work; without it the node's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_after_ms: Option<u64>,
    /// Labels that a node must have.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// A plan written down in advance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaybookDocument {
    /// The team it belongs to.
    pub team: String,
    /// Its name there.
    pub name: String,
    /// What it is for, in a line.
    #[serde(default)]
    pub title: String,
    /// Its stages.
    pub stages: Vec<Stage>,
}

/// An agent as it is described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentDocument {
    /// The kernel that knows how it is configured, started and read.
    #[schema(example = "cli")]
    pub kernel: String,
    /// The program and its arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// The container's image; `scratch` is an empty one.
    pub image: String,
    /// Settings of the program; never secrets.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The digest of its SOUL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soul: Option<String>,
    /// Its skills: the files of each, by path, with their digests.
    #[serde(default)]
    pub skills: BTreeMap<String, BTreeMap<String, String>>,
    /// What its container may take.
    #[serde(default)]
    pub limits: AgentLimits,
}

/// What goes that is not described.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Prune {
    /// Nothing.
    #[default]
    None,
    /// Workers and playbooks of the described teams.
    Team,
    /// Those, and whole teams: what is described is all there shall be.
    All,
}

/// What documents change, or would change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// Whether nothing was done.
    pub is_dry_run: bool,
    /// New documents.
    pub created: u32,
    /// Changed ones.
    pub changed: u32,
    /// Those that are so already.
    pub unchanged: u32,
    /// Removed ones.
    pub removed: u32,
    /// Each document that is not as it was; of very many, the first ones.
    pub documents: Vec<DocumentChange>,
    /// Names this difference: given as `basis` to the apply that follows a dry run, it is refused
    /// when it would do anything else.
    pub basis: String,
    /// The request's id; absent in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// What happens to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new.
    Create,
    /// It is different from what is there.
    Update,
    /// It is there already, just so.
    Same,
    /// It goes.
    Remove,
    /// A word of a later release.
    #[serde(other)]
    Unnamed,
}

/// What happens to one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DocumentChange {
    /// `team`, `worker` or `playbook`.
    pub kind: String,
    /// Its name: `sre`, or `sre/k8s-root-cause`.
    pub name: String,
    /// What happens to it.
    pub change: Change,
    /// Where a changed one differs; of very many places, the first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

/// One place where a document differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// Where, with dots between the parts.
    #[schema(example = "agent.limits.memory_bytes")]
    pub field: String,
    /// What stands there now; absent where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub before: Option<serde_json::Value>,
    /// What shall stand there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub after: Option<serde_json::Value>,
}
