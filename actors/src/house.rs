//! What every persona of a node is given: the ledger, the blobs, the workshop.

use std::sync::Arc;

use rules::attempt::Body;
use rules::command::Request;
use rules::id::{HumanName, NodeId};
use rules::limits::MAX_INLINE_BYTES;
use rules::{Command, Outcome, Principal, Proposal, Rejection, State, Who};
use runtime::accounts::Accounts;
use runtime::archive::ArchiveError;
use runtime::blob::{BlobError, Blobs};
use runtime::lease::Leases;
use runtime::ledger::{Ledger, ProposeError};
use runtime::workshop::{Workshop, WorkshopError};
use thiserror::Error;

use crate::understanding::Understanding;

/// A node's means, shared by its personas.
#[derive(Clone)]
pub struct House {
    /// The node.
    pub node: NodeId,
    /// The replicated log and the state.
    pub ledger: Ledger,
    /// Texts and files.
    pub blobs: Blobs,
    /// Where attempts are carried out.
    pub workshop: Arc<dyn Workshop>,
    /// What is known of the nodes, where this one leads.
    pub leases: Leases,
    /// How much ended attempts may leave here, and for how long.
    pub keeps: Keeps,
    /// Where people get accounts outside of the cluster.
    pub accounts: Arc<dyn Accounts>,
    /// How the Manager understands what is said to him.
    pub understanding: Arc<dyn Understanding>,
}

/// How much ended attempts of closed cases may leave on a node, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeps {
    /// All of them together.
    pub bytes: u64,
    /// Each of them.
    pub age_ms: u64,
}

/// Why an errand did not come to its end, named after what to do.
#[derive(Debug, Error)]
pub enum Hindrance {
    /// The rules said no: look at the state again.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The ledger took nothing: say it again.
    #[error("the ledger takes nothing now")]
    Ledger(#[from] ProposeError),
    /// A text or file is not to be had: try again.
    #[error("a blob cannot be read or written")]
    Blob(#[from] BlobError),
    /// The archive cannot be read: try again.
    #[error("the archive cannot be read")]
    Archive(#[from] ArchiveError),
    /// The workshop could not: try again.
    #[error(transparent)]
    Workshop(#[from] WorkshopError),
    /// There is nothing to be done now: wait for a change.
    #[error("{0}")]
    Wait(String),
}

impl House {
    /// Proposes a command of a persona and answers its outcome.
    pub(crate) async fn say(&self, who: Who, command: Command) -> Result<Outcome, Hindrance> {
        let proposal = Proposal {
            request: None,
            principal: Principal::own(who),
            wall_ms: runtime::clock::wall().0,
            command,
            decision: None,
        };
        Ok(self.ledger.propose(proposal).await??)
    }

    /// Proposes a command of a persona, be it on a human's behalf; the same request is done once.
    pub(crate) async fn say_once(
        &self,
        who: Who,
        on_behalf_of: Option<HumanName>,
        request: Request,
        command: Command,
    ) -> Result<Outcome, Hindrance> {
        let is_own = request.id.is_of_persona();
        debug_assert!(is_own, "anybody could forestall request {}", request.id);
        let proposal = Proposal {
            request: Some(request),
            principal: Principal {
                on_behalf_of,
                ..Principal::own(who)
            },
            wall_ms: runtime::clock::wall().0,
            command,
            decision: None,
        };
        Ok(self.ledger.propose(proposal).await??)
    }

    /// Reads the state as it is applied here.
    pub(crate) fn look<R>(&self, read: impl FnOnce(&State) -> R) -> R {
        self.ledger.read(read)
    }

    /// Keeps a text in the ledger when it is short, as a blob when it is long.
    pub(crate) async fn keep(&self, text: String) -> Result<Body, BlobError> {
        if text.len() <= MAX_INLINE_BYTES {
            return Ok(Body::Inline(text));
        }
        Ok(Body::Blob(self.blobs.put_bytes(text.into_bytes()).await?))
    }

    /// Reads a text back; what is longer than `limit_bytes` is an error.
    pub(crate) async fn text(&self, body: &Body, limit_bytes: usize) -> Result<String, BlobError> {
        match body {
            Body::Inline(text) => Ok(text.clone()),
            Body::Blob(blob) => {
                let bytes = self.blobs.read_limited(blob, limit_bytes as u64).await?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }
}
