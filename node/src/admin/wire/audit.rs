//! The record of what was asked: its lines, its head, and whether it is what was written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Moment;

/// Which records, and which page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only what spoke of this case.
    #[param(example = "c-1")]
    pub case: Option<String>,
    /// Only what spoke of this team or its cases.
    pub team: Option<String>,
    /// Only what this person asked, was asked for them, or spoke of them.
    pub human: Option<String>,
    /// Only what was taken in then or later: RFC 3339 in UTC, or milliseconds since 1970.
    pub since: Option<String>,
    /// Only what was taken in before.
    pub until: Option<String>,
    /// Rows of a page: 1 to 1000, 100 without it.
    pub limit: Option<u32>,
    /// Where the page before ended: its `next`.
    pub after: Option<String>,
}

/// One record, with its head and its salt beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditLine {
    /// Its number, from 1.
    pub n: u64,
    /// The entry of the ledger that it tells of.
    pub index: u64,
    /// The term of the leader that gave the entry its place.
    pub term: u64,
    /// When the command was taken in, by that node's clock.
    pub at: Moment,
    /// Ledger time since the record before it, in milliseconds.
    pub elapsed_ms: u64,
    /// Ticks since then that rang nothing.
    pub ticks: u64,
    /// Who asked, by their kind: `human`, `node`, `ledger`, `manager`, `butler` or `worker`; with
    /// `on_behalf_of` where it was for a person, and `token` where they were known by one.
    #[schema(value_type = Object)]
    pub who: BTreeMap<String, serde_json::Value>,
    /// What was asked.
    #[schema(example = "open_case")]
    pub command: String,
    /// What it spoke of, by kind.
    pub subjects: BTreeMap<String, Vec<String>>,
    /// The SHA-256 of the salt and the whole command in its canonical bytes.
    pub digest: String,
    /// The SHA-256 of the salt and each text in it.
    pub texts: BTreeMap<String, String>,
    /// What was decided about whether they may, on what ground.
    #[schema(value_type = Object)]
    pub policy: BTreeMap<String, serde_json::Value>,
    /// Who was denied what, how often, where that is what it tells: in the teams that were asked for,
    /// or that the asker leads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denials: Vec<String>,
    /// What one node was had do by itself, where that is what it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "set the secret of kube")]
    pub deed: Option<String>,
    /// What came of it: `accepted` or `rejected`, with its `reason`; `repeated` where the answer is
    /// that of an earlier entry.
    #[schema(value_type = Object)]
    pub verdict: BTreeMap<String, serde_json::Value>,
    /// The head of the chain with it.
    pub head: String,
    /// The salt, in hexadecimal digits; none once it was erased, and none where only those denials
    /// are shown that are for the asker.
    pub salt: Option<String>,
}

/// Some records, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// The records.
    pub records: Vec<AuditLine>,
    /// Where the next page begins: hand it over as `after`.
    pub next: Option<String>,
}

/// The end of the chain, to be kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditHead {
    /// Records until there.
    pub count: u64,
    /// The entry of the last one.
    pub index: u64,
    /// The head with it, in hexadecimal digits.
    pub head: String,
    /// The node that says so.
    pub node: String,
    /// When, by that node's clock.
    pub at: Moment,
    /// Who signs checkpoints, as that node says: whoever keeps it can check signatures without a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signers: Option<AuditSigners>,
}

/// Who signs a cluster's checkpoints: its authority, whose certificate is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditSigners {
    /// The cluster, as its nodes' certificates name it.
    pub cluster: String,
    /// The authority's certificate in DER, in hexadecimal digits.
    pub authority: String,
}

/// A head that was kept, to be compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditHeadQuery {
    /// Records until there.
    pub count: Option<u64>,
    /// The head with the last one of them, in hexadecimal digits.
    pub head: Option<String>,
}

/// Whether the record is what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditVerdict {
    /// Whether nothing is wrong.
    pub is_whole: bool,
    /// The first record that is there.
    pub first: u64,
    /// The last one that was looked at.
    pub count: u64,
    /// The entry that it tells of.
    pub index: u64,
    /// The head with it.
    pub head: String,
    /// Records whose salt was erased.
    pub erased: u64,
    /// Heads known from elsewhere that it came to, and checkpoints whose signatures were checked.
    pub met: u64,
    /// What those are, in words; where there are none, it is whole only in itself.
    #[serde(default)]
    pub compared: Vec<String>,
    /// Of an archive: which heads lie behind its end, in words. It says nothing of those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<String>,
    /// The first thing that is wrong.
    pub fault: Option<AuditFault>,
}

/// What is wrong with the record, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditFault {
    /// The first record that does not fit.
    pub record: u64,
    /// The last entry before it whose record is whole.
    pub index: u64,
    /// The file.
    pub file: String,
    /// Where in it the line begins.
    pub offset: u64,
    /// What is wrong.
    pub what: String,
}

/// Erases the texts of a closed case wherever the cluster keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseCase {
    /// Why.
    #[serde(default)]
    pub reason: String,
}
