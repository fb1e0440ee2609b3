//! Why a question to a node got no good answer, named after what to do next.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::admin::wire::{Code, ErrorShape};

/// A refusal with its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What the node said.
    pub error: ErrorShape,
}

/// Why a question to a node got no good answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody answers at the socket: start a node, or name another socket.
    #[error("no daemon answers at {}", socket.display())]
    NoDaemon {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The node said no: change what is asked.
    #[error("{}", refusal.error.message)]
    Refused {
        /// What it said.
        refusal: Box<Refusal>,
    },
    /// Whether it was done is not known: ask again with the same request id.
    #[error("whether it was done is not known: {why}")]
    Unknown {
        /// The request's id, where it was a command.
        request_id: Option<String>,
        /// What happened.
        why: String,
    },
    /// The node answered with something that this release does not understand: take the same
    /// release on both sides.
    #[error("the answer of the daemon is not understood: {why}")]
    NotUnderstood {
        /// What is wrong with it.
        why: String,
    },
    /// What was to be sent cannot be read: look at the file.
    #[error("cannot read {}", path.display())]
    CannotRead {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ClientError {
    /// The exit code of a command that ends with this: 1 refused, 3 no daemon, 4 unknown.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoDaemon { .. } => 3,
            Self::Unknown { .. } => 4,
            Self::Refused { .. } | Self::NotUnderstood { .. } | Self::CannotRead { .. } => 1,
        }
    }

    /// What to do about it, where somebody said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoDaemon { .. } => Some(
                "start one with `domo node run --dev --data DIR`, or choose its socket with \
                 --socket or DOMO_SOCKET"
                    .to_owned(),
            ),
            Self::Refused { refusal } => refusal.error.hint.clone(),
            Self::Unknown {
                request_id: Some(id),
                ..
            } => Some(format!(
                "repeat it with --request-id {id}: nothing is done twice"
            )),
            Self::Unknown { .. } | Self::NotUnderstood { .. } | Self::CannotRead { .. } => None,
        }
    }

    /// The code of a refusal.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { refusal } => Some(refusal.error.code),
            Self::NoDaemon { .. }
            | Self::Unknown { .. }
            | Self::NotUnderstood { .. }
            | Self::CannotRead { .. } => None,
        }
    }

    /// The answer of a node that is not a success.
    pub(super) fn refused(status: u16, error: ErrorShape) -> Self {
        match error.code {
            Code::OutcomeUnknown | Code::TimedOut => Self::Unknown {
                request_id: error.request_id,
                why: error.message,
            },
            Code::Invalid
            | Code::NotYours
            | Code::NotFound
            | Code::NotAllowed
            | Code::TooSlow
            | Code::WrongState
            | Code::Stale
            | Code::RequestReused
            | Code::Expired
            | Code::TooLarge
            | Code::WrongMedia
            | Code::BadDocuments
            | Code::Limit
            | Code::Failed
            | Code::NoLeader
            | Code::Full
            | Code::Stopping
            | Code::DiskFull
            | Code::ReadOnly
            | Code::Unnamed => Self::Refused {
                refusal: Box::new(Refusal { status, error }),
            },
        }
    }
}
