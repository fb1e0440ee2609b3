//! A stage as a plan or a playbook describes it.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A stage as a plan describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its name within the plan.
    #[schema(example = "instance-status")]
    pub name: String,
    /// What it is, in a line.
    #[serde(default)]
    pub title: String,
    /// Who can do it.
    pub needs: Needs,
    /// The stages whose results it needs.
    #[serde(default)]
    pub after: Vec<String>,
    /// How long one attempt may take; without it as long as the worker's limits say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_ms: Option<u64>,
    /// How many attempts it has.
    pub attempts: u32,
    /// Whose approval it needs before it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// What becomes of the case when it fails.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// What its agent is told beside the case's brief.
    #[serde(default)]
    pub brief: String,
}

/// Who can do a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// Any worker of the team with this skill.
    Skill(String),
    /// This worker of the team.
    Worker(String),
    /// The butler's own agent: only planning needs it.
    Butler,
}

/// Whose approval a stage needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Any one of these.
    pub by: Vec<Approver>,
    /// What they are asked.
    #[serde(default)]
    pub note: String,
}

/// Someone who may approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Approver {
    /// This person.
    Human(String),
    /// Whoever has this role in the team: `admin`, `lead` or `member`.
    Role(String),
}

impl fmt::Display for Approver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Human(name) => f.write_str(name),
            Self::Role(role) => write!(f, "a {role}"),
        }
    }
}

/// What becomes of the case when a stage fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// What leans on the stage is skipped, and the case fails.
    #[default]
    Fail,
    /// The case goes on without its result.
    Continue,
}
