//! Targets, the secrets that nodes have for them, and effects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Freshness;

/// What it means to repeat a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MethodClass {
    /// Nothing: it changes nothing.
    Read,
    /// Nothing, under the same `Idempotency-Key`.
    Keyed,
    /// It may be done twice.
    Unkeyed,
    /// A word of a later release.
    #[serde(other)]
    Unnamed,
}

/// What agents may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name: agents ask `/targets/NAME/…`.
    #[schema(example = "kube")]
    pub name: String,
    /// Where it is.
    #[schema(example = "https://10.0.0.9:6443")]
    pub address: String,
    /// What it means to repeat a request, by method; a method that is not named is unkeyed.
    pub methods: BTreeMap<String, MethodClass>,
    /// The teams whose agents may reach it.
    pub teams: Vec<String>,
    /// Whether it lets nobody in without a secret: then only nodes that have it host those teams.
    #[serde(default)]
    pub needs_secret: bool,
}

/// The targets of the cluster, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetPage {
    /// The targets.
    pub targets: Vec<Target>,
    /// How old the answer is.
    pub freshness: Freshness,
}

/// Takes a target away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveTarget {}

/// Tries a target from the node that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckTarget {
    /// What is read there.
    #[serde(default = "root")]
    pub path: String,
}

fn root() -> String {
    "/".to_owned()
}

/// What was found when a target was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetChecked {
    /// The target.
    pub target: String,
    /// The node that tried it.
    pub node: String,
    /// Whether every step went well.
    pub is_good: bool,
    /// The steps, up to the first that failed.
    pub findings: Vec<Finding>,
}

/// What was found at one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// The step: `secret`, `connection`, `answer`.
    pub step: String,
    /// Whether it went well.
    pub is_good: bool,
    /// What was seen.
    pub says: String,
}

/// A secret that a node has; it is never shown itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretLine {
    /// Whose it is.
    pub target: String,
    /// The header that it is sent in.
    pub header: String,
}

/// The secrets that a node has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretPage {
    /// The node.
    pub node: String,
    /// Its secrets, by target.
    pub secrets: Vec<SecretLine>,
}

/// Gives the node that is asked a target's secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSecret {
    /// The header whose whole value it is; without one it is sent as `Authorization: Bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The secret.
    pub secret: String,
}

impl std::fmt::Debug for SetSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SetSecret({:?}: …)", self.header)
    }
}

/// Has the node that is asked forget a target's secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveSecret {}

/// What a node was told to do with a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretDone {
    /// The node that has it, or has it no more.
    pub node: String,
    /// The request's id.
    pub request_id: String,
}

/// How far an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectStatus {
    /// It may have been sent; what came of it is not known.
    Intended,
    /// It was done.
    Done,
    /// It was surely not done.
    NotDone,
    /// A human says that it was done.
    SettledDone,
    /// A human says that it was not done.
    SettledNotDone,
    /// A word of a later release.
    #[serde(other)]
    Unnamed,
}

/// Something that an agent did to the outside, or was about to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EffectView {
    /// Its key, the same for all attempts of its stage.
    pub key: String,
    /// The stage.
    pub stage: String,
    /// The attempt that intended it last.
    pub attempt: u32,
    /// Who was asked.
    pub target: String,
    /// How.
    pub method: String,
    /// What it means to repeat it.
    pub class: MethodClass,
    /// How far it is.
    pub status: EffectStatus,
    /// What the target answered, what was in its way, or how a human knows.
    pub says: String,
    /// Whether its stage waits for a human to say what became of it.
    pub is_in_question: bool,
}

/// Says whether an effect was done of which nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleEffect {
    /// The effect's key.
    pub effect: String,
    /// Whether it was done.
    pub was_done: bool,
    /// How that is known.
    pub reason: String,
}
