//! A refusal on its way out: the one shape, whoever refused.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rules::id::TeamName;
use rules::{Rejection, State};
use runtime::archive::ArchiveError;
use runtime::blob::BlobError;
use runtime::ledger::ProposeError;

use super::convert::asked::refusal;
use super::wire::{Code, ErrorBody, ErrorShape, REQUEST_ID};

/// Why a request was not done.
#[derive(Clone, Debug)]
pub(super) struct Refused(pub(super) Box<ErrorShape>);

/// What a handler comes to.
pub(super) type Answered<T> = Result<T, Refused>;

impl Refused {
    /// With a sentence.
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        ErrorShape::new(code, message).into()
    }

    /// A limit of this node is reached; later there is room again.
    pub(super) fn full(limit: &str, max: u64) -> Self {
        ErrorShape::new(Code::Full, format!("limit {limit} = {max} is reached"))
            .hint("try again in a moment")
            .limit(limit, max)
            .into()
    }

    /// Larger than is taken.
    pub(super) fn too_large(what: &str, limit: &str, max: u64) -> Self {
        ErrorShape::new(
            Code::TooLarge,
            format!("{what} is larger than {limit} = {max}"),
        )
        .limit(limit, max)
        .into()
    }

    /// Nobody knows this team; the nearest one is named.
    pub(super) fn no_team(state: &State, team: &TeamName) -> Self {
        /// Names that are searched for the one that was meant.
        const MAX_GUESSED: usize = 1000;
        let refused = Self::from(&Rejection::NoTeam(team.clone()));
        let known = state.teams.keys().map(TeamName::as_str);
        match config::near::nearest(team.as_str(), known.take(MAX_GUESSED)) {
            Some(name) => refused.hint(format!("did you mean {name}?")),
            None => refused,
        }
    }

    /// For several reasons.
    pub(super) fn for_reasons(code: Code, reasons: Vec<String>) -> Self {
        let mut shape = ErrorShape::new(code, reasons.join("; "));
        shape.reasons = reasons;
        shape.into()
    }

    /// The same with what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same with the limit that was reached.
    pub(super) fn limit(mut self, name: &str, max: u64) -> Self {
        *self.0 = self.0.limit(name, max);
        self
    }

    /// The same with the name of the wish.
    pub(super) fn of_request(mut self, id: &str) -> Self {
        self.0.request_id = Some(id.to_owned());
        self
    }
}

impl From<ErrorShape> for Refused {
    fn from(shape: ErrorShape) -> Self {
        Self(Box::new(shape))
    }
}

impl From<&Rejection> for Refused {
    fn from(rejection: &Rejection) -> Self {
        refusal(rejection).into()
    }
}

impl From<rules::id::BadName> for Refused {
    fn from(bad: rules::id::BadName) -> Self {
        Self::new(Code::Invalid, bad.to_string())
    }
}

impl From<ProposeError> for Refused {
    fn from(error: ProposeError) -> Self {
        let shape = |code| ErrorShape::new(code, error.to_string());
        match &error {
            ProposeError::Full { limit } => shape(Code::Full)
                .hint("nothing was done; try again in a moment")
                .limit("proposals_in_flight", *limit as u64),
            ProposeError::TooLarge { max, .. } => shape(Code::TooLarge)
                .hint("nothing was done; ask for less at a time, and attach long texts as files")
                .limit("max_entry_bytes", *max as u64),
            ProposeError::DiskFull { .. } => shape(Code::DiskFull)
                .hint("nothing was done; make room on the node's disk, no restart is needed"),
            ProposeError::ReadOnly { .. } => shape(Code::ReadOnly)
                .hint("nothing was done; look at the node's disk, no restart is needed"),
            ProposeError::NotSpread { .. } => shape(Code::NoLeader)
                .hint("nothing was done; `domo status` says which nodes are not reached"),
            ProposeError::NoLeader { leader } => shape(Code::NoLeader).hint(leader.map_or_else(
                || {
                    "nothing was done; the cluster has no leader now, try again in a moment"
                        .to_owned()
                },
                |leader| format!("nothing was done; ask node {leader}, or try again in a moment"),
            )),
            ProposeError::Unknown => shape(Code::OutcomeUnknown)
                .hint("repeat it with the same request id: nothing is done twice"),
            ProposeError::Stopped => {
                shape(Code::Stopping).hint("nothing was done; try again when the daemon is back")
            }
        }
        .into()
    }
}

impl From<BlobError> for Refused {
    fn from(error: BlobError) -> Self {
        let shape = |code| ErrorShape::new(code, error.to_string());
        match &error {
            BlobError::TooLarge { limit_bytes } => shape(Code::TooLarge)
                .hint("split it, or raise limits.blob_bytes on the node")
                .limit("blob_bytes", *limit_bytes),
            BlobError::OverQuota { limit_bytes } => shape(Code::TooLarge)
                .hint("end cases with large files, or raise limits.blobs_bytes on the node")
                .limit("blobs_bytes", *limit_bytes),
            BlobError::NoRoom { .. } => shape(Code::DiskFull)
                .hint("make room on the node's disk, then repeat; no restart is needed"),
            BlobError::Absent(_) => shape(Code::NotFound),
            BlobError::Damaged(_) => shape(Code::Failed).hint("upload it anew"),
            BlobError::Failed { source, .. } => {
                ErrorShape::new(Code::Failed, format!("{error}: {source}"))
            }
        }
        .into()
    }
}

impl From<ArchiveError> for Refused {
    fn from(error: ArchiveError) -> Self {
        Self::new(Code::Failed, error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let code = self.0.code;
        let status = StatusCode::from_u16(code.status());
        let id = self
            .0
            .request_id
            .as_deref()
            .and_then(|id| HeaderValue::from_str(id).ok());
        // A shape of texts and numbers always has its JSON.
        let body = serde_json::to_vec(&ErrorBody { error: *self.0 }).unwrap_or_default();
        let mut response =
            (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Some(id) = id {
            headers.insert(REQUEST_ID, id);
        }
        if code == Code::Full {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
