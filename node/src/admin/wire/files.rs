//! Bytes that belong to a case: what was handed along, what was found, what was left.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Freshness;

/// Bytes that are named by their digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Blob {
    /// SHA-256 in lower-case hexadecimal.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: String,
    /// How many there are.
    pub bytes: u64,
}

/// The files of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseFiles {
    /// The case.
    #[schema(example = "c-1")]
    pub case: String,
    /// Its files, in the order of the case: briefs, attachments, results, artifacts, report.
    pub files: Vec<CaseFile>,
    /// How old the answer is.
    pub freshness: Freshness,
}

/// One file of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseFile {
    /// What it is.
    pub kind: FileKind,
    /// Where it is found under `/v1/cases/{case}/files/`. Its last parts were chosen by whoever
    /// attached it, or by an agent: take care before using it as a path.
    #[schema(example = "artifacts/instance-status/pods.json")]
    pub path: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// SHA-256 of its bytes, where they are a blob; short texts are in the ledger itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// What a file of a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// A version of the brief.
    Brief,
    /// Handed along by whoever opened or amended the case.
    Attachment,
    /// The result of a stage.
    Result,
    /// Left by an agent beside its result.
    Artifact,
    /// The report.
    Report,
    /// A kind of a later release.
    #[serde(other)]
    Unnamed,
}
