//! How a node is broken on purpose.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Crashes a persona of the node that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashPersona {
    /// `manager`, `janitor`, `butler TEAM` or `worker TEAM/NAME`.
    #[schema(example = "butler sre")]
    pub persona: String,
}

/// Holds the Manager dead on the node that is asked, or lets him live again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldManager {
    /// Whether he is held.
    pub is_held: bool,
}
