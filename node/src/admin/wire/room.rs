//! Rooms: what is said in them, and what is shown of what was done.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Attachment, Freshness, Moment};

/// Says something in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostMessage {
    /// What. `@NAME` speaks to a butler, which opens a case, or to a worker, whose running agent
    /// reads it.
    #[schema(example = "@sre-bot pod mse-gateway-0 is Pending")]
    pub text: String,
    /// The case in whose thread it is said; without one it is said in the room itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "c-1")]
    pub thread: Option<String>,
    /// What comes with it; its blobs were uploaded before.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
}

/// It stands in the room: a quorum has it on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Posted {
    /// The number of the post.
    pub number: u64,
    /// The case that it opened or amended.
    pub case: Option<String>,
    /// The running attempts whose agents read it.
    pub heard_by: Vec<String>,
    /// Workers that it speaks to and that run nothing which could read it.
    pub unheard: Vec<String>,
    /// The request's id.
    pub request_id: String,
}

/// Says how far somebody has read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    /// The number of the last post that they have read.
    pub up_to: u64,
}

/// A room in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomLine {
    /// Its name: `sre`, `manager`, `@sre` (its butler alone), `sre/disk` (a worker alone).
    pub name: String,
    /// What it is for.
    pub title: String,
    /// The number of the last post in it, those of threads not among them.
    pub last_post: Option<u64>,
    /// Posts that the asker has not read: all that the state keeps, in the room and in the threads of
    /// its open cases, and up to 1024 older ones of the room.
    pub unread: u64,
    /// Open cases: each is a thread.
    pub threads: u64,
}

/// Rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomPage {
    /// In the order of their names.
    pub rooms: Vec<RoomLine>,
    /// How fresh this is.
    pub freshness: Freshness,
}

/// Something that was said, or that was done and is shown here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomEntry {
    /// The place of its entry in the ledger: what is shown is in this order.
    pub index: u64,
    /// When, by the clock of the node that took it in.
    pub at: Moment,
    /// Who.
    pub by: String,
    /// `post` for what was said, else what happened, as in a case's history.
    pub kind: String,
    /// The post's number.
    pub post: Option<u64>,
    /// The case in whose thread it stands, or that it opened or amended.
    pub case: Option<String>,
    /// What was said or done.
    pub text: String,
    /// Files that came with it.
    pub attachments: Vec<String>,
    /// The post that it answers.
    pub answers: Option<u64>,
    /// Attempts whose agents read it.
    pub heard_by: Vec<String>,
}

/// What was said and done in a room or a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomView {
    /// The room.
    pub room: String,
    /// The oldest first.
    pub entries: Vec<RoomEntry>,
    /// Where older ones go on: the next `before`.
    pub before: Option<u64>,
    /// The post up to which the asker has read.
    pub read_up_to: u64,
    /// How fresh this is.
    pub freshness: Freshness,
}

/// Which part of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RoomQuery {
    /// Only the thread of this case, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "c-1")]
    pub thread: Option<String>,
    /// Only what came after this place in the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Only what came before this place in the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Only what came since this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Entries at most, the newest; with `after`, the oldest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A line of `GET /v1/rooms/{room}/watch`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum RoomEvent {
    /// Something was said or done.
    Entry(RoomEntry),
    /// An agent on this node says how far it is.
    Progress {
        /// The attempt.
        attempt: String,
        /// Its stage.
        stage: String,
        /// What it says.
        text: String,
    },
    /// The stream ends here: ask again, with `from`.
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

/// Where to begin to follow a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RoomWatchQuery {
    /// Only the thread of this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "c-1")]
    pub thread: Option<String>,
    /// The place in the ledger behind which to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
}
