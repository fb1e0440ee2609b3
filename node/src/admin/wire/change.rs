//! What a person asks to be changed, and the answer that it is so.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Hands a case over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenCase {
    /// The team; without one the Manager finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "sre")]
    pub team: Option<String>,
    /// What it is about, in a line; without one the first line of the brief.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What is to be done. Of any length up to `brief_bytes`.
    #[schema(example = "pod mse-gateway-0 is Pending")]
    pub brief: String,
    /// What the agents are given along; its blobs were uploaded before.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// The playbook; without one the team's own choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
}

/// A file that is handed along: where the agents find it, and the digest that its upload answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// A plain relative path, with `/` between its parts.
    #[schema(example = "cluster/pods.json")]
    pub path: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// The case is open: a quorum has it on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Opened {
    /// Its number.
    #[schema(example = "c-1")]
    pub case: String,
    /// The request's id.
    pub request_id: String,
}

/// It is so now: a quorum has it on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// The request's id.
    pub request_id: String,
}

/// Ends a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelCase {
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Holds a case: nothing more of it is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseCase {
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Lets a held case go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeCase {}

/// Gives a case its team, where it names none and none fits by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteCase {
    /// The team.
    #[schema(example = "sre")]
    pub team: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Changes what is to be done: a new version of the brief, and a new plan for what is not done yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AmendCase {
    /// The new brief, whole.
    pub brief: String,
    /// More attachments.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
}

/// Takes a stage over and answers it by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerStage {
    /// The answer in a few sentences.
    pub summary: String,
    /// The whole result, as the contract with the agent describes `result.json`; without it, one
    /// that holds the summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub document: Option<serde_json::Value>,
    /// Files of evidence; their blobs were uploaded before.
    #[serde(default)]
    pub artifacts: Vec<Attachment>,
}

/// Lets a stage begin that waits for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveStage {
    /// What there is to say to it.
    #[serde(default)]
    pub note: String,
}

/// Refuses to let a stage begin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectStage {
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Gives a worker a new container; what it was doing is done anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceWorker {
    /// Why.
    #[serde(default)]
    pub reason: String,
}
