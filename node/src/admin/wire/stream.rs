//! What the long answers consist of: one JSON object a line.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CaseStatus, CaseView, HistoryLine, Waiting};

/// A line of `GET /v1/cases/{case}/watch`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum WatchEvent {
    /// Something happened to the case.
    History(HistoryLine),
    /// The case is as far as this now.
    Status {
        /// How far.
        status: CaseStatus,
        /// What it waits for, while it does.
        waiting_for: Option<Waiting>,
        /// Stages that have their result.
        stages_done: u64,
        /// Stages of the plan.
        stages: u64,
    },
    /// An agent on this node says how far it is.
    Progress {
        /// The attempt.
        attempt: String,
        /// Its stage.
        stage: String,
        /// What it says.
        text: String,
    },
    /// The case is over: the last line of the stream.
    Closed {
        /// The closed case.
        case: Box<CaseView>,
    },
    /// The stream ends here although the case is not over: ask again, with `from`.
    Ended {
        /// Why.
        reason: String,
    },
    /// Nothing happened for a while; the line shows that the node is there.
    Quiet,
    /// A line of a later release.
    #[serde(other)]
    Unnamed,
}

/// Which output of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogStream {
    /// Its standard output.
    Stdout,
    /// Its standard error.
    Stderr,
    /// The log of a worker's container: its starts and ends.
    Worker,
    /// What the node has to say of the log itself: that it is elsewhere, or cut.
    Note,
    /// A word of a later release.
    #[serde(other)]
    Unnamed,
}

/// A line of `…/logs`: a piece of output, in the order in which it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// The attempt; absent in the log of a worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "c-1.2")]
    pub attempt: Option<String>,
    /// The attempt's stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Which output.
    pub stream: LogStream,
    /// What was written, with its line ends. Bytes that are no UTF-8 are replaced. An agent can
    /// write anything here: take care before showing it on a terminal.
    pub text: String,
}
