//! What stands behind the `?` of a path: filters, pages, and how fresh an answer must be.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Prune;

/// Rows of a page when nobody says how many.
pub const DEFAULT_PAGE: u32 = 100;
/// Rows of a page at most: an answer of some hundred KiB.
pub const MAX_PAGE: u32 = 1000;

/// Which cases, and which page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CaseQuery {
    /// Only this team's.
    pub team: Option<String>,
    /// Only these, comma between them: `open`, `planned`, `running`, `waiting`, `reporting`,
    /// `closed`, `succeeded`, `failed`, `cancelled`.
    #[param(example = "running,waiting")]
    pub status: Option<String>,
    /// Only what was opened then or later: RFC 3339 in UTC, or milliseconds since 1970.
    pub since: Option<String>,
    /// Rows of a page: 1 to 1000, 100 without it.
    pub limit: Option<u32>,
    /// Where the page before ended: its `next`.
    pub after: Option<String>,
}

/// Which teams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TeamQuery {
    /// Rows of a page: 1 to 1000, 100 without it.
    pub limit: Option<u32>,
    /// Where the page before ended: its `next`.
    pub after: Option<String>,
}

/// Which workers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WorkerQuery {
    /// Only this team's.
    pub team: Option<String>,
    /// Only these, comma between them: `homeless`, `asleep`, `idle`, `busy`.
    pub status: Option<String>,
    /// Rows of a page: 1 to 1000, 100 without it.
    pub limit: Option<u32>,
    /// Where the page before ended: its `next`.
    pub after: Option<String>,
}

/// How an apply is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApplyQuery {
    /// Only says what it would do.
    #[serde(default)]
    pub dry_run: bool,
    /// What goes that is not described: `none`, `team` or `all`.
    #[serde(default)]
    #[param(inline)]
    pub prune: Prune,
    /// The `basis` of the difference that was shown: refused as stale when it is another now.
    pub basis: Option<String>,
}

/// How fresh an answer must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Consistency {
    /// Nothing that was acknowledged before the request is missing; needs a quorum.
    #[default]
    Linearizable,
    /// What this node knows, at once and without a quorum.
    Local,
}

/// How fresh the answer about a case must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FreshQuery {
    /// `linearizable` (without it) or `local`.
    #[serde(default)]
    #[param(inline)]
    pub consistency: Consistency,
}

/// From where a case is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WatchQuery {
    /// Only lines of the history with a greater `index`.
    pub from: Option<u64>,
}

/// Which logs of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Only this attempt's, by its number within the case.
    pub attempt: Option<u32>,
    /// Goes on until the case, or the attempt, is over.
    #[serde(default)]
    pub follow: bool,
}

/// Which part of a worker's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WorkerLogQuery {
    /// Goes on until the client has enough.
    #[serde(default)]
    pub follow: bool,
}
