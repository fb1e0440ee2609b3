//! The one shape of every refusal: a code for programs, a sentence and a hint for people.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorShape,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorShape {
    /// For programs.
    pub code: Code,
    /// For people: lower case, one sentence.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The limit that was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitReached>,
    /// Where there are several reasons, each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The request's id: repeat with it and nothing is done twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A limit and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitReached {
    /// Its name.
    pub name: String,
    /// Its value, in the unit that its name says.
    pub max: u64,
}

/// What went wrong, for programs; each has one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// 400: the request is wrong in itself.
    Invalid,
    /// 403: someone else may ask this, or nobody knows the asker.
    NotYours,
    /// 404: there is no such thing.
    NotFound,
    /// 405: the path is there, the method is not.
    NotAllowed,
    /// 408: the request came too slowly.
    TooSlow,
    /// 409: it does not fit to how things are.
    WrongState,
    /// 409: what the asker spoke of is over.
    Stale,
    /// 409: the request id stood on another command.
    RequestReused,
    /// 410: the request id is too old to know whether it was done.
    Expired,
    /// 413: larger than is taken.
    TooLarge,
    /// 415: not the kind of body that is taken here.
    WrongMedia,
    /// 422: the documents or files contradict each other, the state, or themselves.
    BadDocuments,
    /// 429: a limit of the cluster or of the asker is reached.
    Limit,
    /// 500: a fault of the daemon.
    Failed,
    /// 503: the cluster has no leader now.
    NoLeader,
    /// 503: a limit of this node is reached; later there is room again.
    Full,
    /// 503: the daemon is being stopped.
    Stopping,
    /// 504: it may or may not be done: repeat with the same request id.
    OutcomeUnknown,
    /// 504: it took too long; nothing was to be changed.
    TimedOut,
    /// 507: the disk is full.
    DiskFull,
    /// 507: the disk takes no writes.
    ReadOnly,
    /// A code of a later release.
    #[serde(other)]
    Unnamed,
}

impl Code {
    /// Its HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::NotYours => 403,
            Self::NotFound => 404,
            Self::NotAllowed => 405,
            Self::TooSlow => 408,
            Self::WrongState | Self::Stale | Self::RequestReused => 409,
            Self::Expired => 410,
            Self::TooLarge => 413,
            Self::WrongMedia => 415,
            Self::BadDocuments => 422,
            Self::Limit => 429,
            Self::Failed | Self::Unnamed => 500,
            Self::NoLeader | Self::Full | Self::Stopping => 503,
            Self::OutcomeUnknown | Self::TimedOut => 504,
            Self::DiskFull | Self::ReadOnly => 507,
        }
    }
}

impl ErrorShape {
    /// A refusal with a sentence alone.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            limit: None,
            reasons: Vec::new(),
            request_id: None,
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the limit that was reached.
    #[must_use]
    pub fn limit(mut self, name: impl Into<String>, max: u64) -> Self {
        self.limit = Some(LimitReached {
            name: name.into(),
            max,
        });
        self
    }
}
