//! Nodes, and the tokens with which new ones join.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Freshness, Moment, NodeLine};

/// The nodes of the cluster, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodePage {
    /// The nodes.
    pub nodes: Vec<NodeLine>,
    /// How old the answer is.
    pub freshness: Freshness,
}

/// Everything about a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeDetails {
    /// The node in a line.
    #[serde(flatten)]
    pub line: NodeLine,
    /// What runs its agents.
    pub engine: String,
    /// Which start of its daemon it is.
    pub incarnation: u64,
    /// Why it is as healthy as it is.
    pub health_because: String,
    /// What placement can ask for.
    pub labels: std::collections::BTreeMap<String, String>,
    /// The targets whose secrets it has; absent until it has told the cluster.
    #[serde(default)]
    pub secrets: Option<Vec<String>>,
    /// Whether its agents are kept from what is the daemon's; absent until it has told the cluster.
    #[serde(default)]
    pub is_confined: Option<bool>,
    /// Teams whose butlers are there.
    pub teams: Vec<String>,
    /// Workers that are there.
    pub workers_there: Vec<String>,
    /// How old the answer is.
    pub freshness: Freshness,
}

/// Has a node left by all that is on it, or lets it be used again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DrainNode {
    /// Whether it shall be left.
    pub is_drained: bool,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Takes a node out of the cluster for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveNode {
    /// Also while it is up and not drained: what runs on it is given up.
    #[serde(default)]
    pub is_forced: bool,
}

/// What a node may be in the ledger's quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NodeRole {
    /// The cluster decides.
    Auto,
    /// It votes.
    Voter,
    /// It never votes.
    Learner,
}

/// Says whether a node votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    /// What it shall be.
    pub role: NodeRole,
}

/// Makes a join token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MintToken {
    /// How long it is good.
    pub valid_ms: u64,
}

/// A join token. It is shown once; the cluster keeps only a digest of its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Minted {
    /// Its name, with which it is revoked.
    pub name: String,
    /// The token.
    pub token: String,
    /// How long it is good.
    pub valid_ms: u64,
    /// The request's id.
    pub request_id: String,
}

/// A token that is still good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenLine {
    /// Its name.
    pub name: String,
    /// Who made it.
    pub minted_by: String,
    /// When.
    pub minted: Moment,
    /// How long it is good from now on.
    pub left_ms: u64,
}

/// The tokens that are still good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenPage {
    /// The tokens.
    pub tokens: Vec<TokenLine>,
}

/// Makes a token worthless.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeToken {}

/// Where somebody could be, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explained {
    /// The node that it is on.
    pub node: Option<String>,
    /// Why it is there, or why it is nowhere.
    pub because: String,
    /// What speaks for or against each node now.
    pub nodes: Vec<NodeVerdict>,
}

/// What speaks for or against a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeVerdict {
    /// Its number.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What speaks for or against it.
    pub verdict: String,
}
