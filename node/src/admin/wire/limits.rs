//! What this node takes at its door, so that a client need not upload what will be refused.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The limits of the node that answers, by the names of its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    /// One attachment, result or artifact.
    pub blob_bytes: u64,
    /// All attachments, results and artifacts of one case.
    pub case_bytes: u64,
    /// Files attached to one case.
    pub attachments_per_case: u64,
    /// The text of a case.
    pub brief_bytes: u64,
}
