//! The client of a node's admin socket: typed questions, streams, uploads, and errors by what to do.
//!
//! ```text
//! Client ─► connection (kept alive, one request at a time on each) ─► admin.sock
//!    └─ lost on the way? a read, or a command with its request id, is said once more
//! ```
//!
//! # Invariant
//! Every wait has a limit. A command whose answer did not come is *unknown*, never "failed": its
//! request id, said again, tells what became of it.
//!
//! # Why
//! The command line and the tests speak to a node through this and nothing else, so what they can
//! do, any program can do with the described interface.

mod audit;
mod cases;
mod changes;
mod chaos;
mod connection;
mod error;
mod humans;
mod lines;
mod nodes;
mod path;
mod rooms;
mod targets;
mod teams;
mod transfer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::Method;
use rand::RngExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{Clock, Limits, Status};
use connection::{Asked, Connections};

pub use error::{ClientError, Refusal};
pub use lines::Lines;
pub use path::Query;
pub use transfer::Download;

/// How long an answer without a stream may take: longer than the server's own limit, so that its
/// answer, which knows more, comes first.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(75);

/// A client of one node's admin socket; cheap to clone, usable by many tasks at once.
#[derive(Clone, Debug)]
pub struct Client {
    connections: Connections,
}

impl Client {
    /// A client of the socket at `path`; connects when it is first asked something.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            connections: Connections::new(path.into(), None),
        }
    }

    /// The same for a human who is known by a token.
    pub fn with_token(path: impl Into<PathBuf>, token: &str) -> Self {
        Self {
            connections: Connections::new(path.into(), Some(token)),
        }
    }

    /// The socket.
    pub fn socket(&self) -> &Path {
        self.connections.socket()
    }

    /// How the node and its cluster are.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.get("/v1/status".to_owned()).await
    }

    /// The ledger's clock.
    pub async fn clock(&self) -> Result<Clock, ClientError> {
        self.get("/v1/clock".to_owned()).await
    }

    /// What the node takes at its door.
    pub async fn limits(&self) -> Result<Limits, ClientError> {
        self.get("/v1/limits".to_owned()).await
    }

    /// A new request id, stamped with the ledger's clock: make it once for each wish, and give the
    /// same one to every repetition.
    pub async fn request_id(&self) -> Result<String, ClientError> {
        let clock = self.clock().await?;
        let word: u128 = rand::rng().random();
        Ok(format!("{word:032x}@{}", clock.clock_ms))
    }

    /// The description of the interface, as JSON.
    pub async fn openapi(&self) -> Result<serde_json::Value, ClientError> {
        self.get("/openapi.json".to_owned()).await
    }

    async fn get<T: DeserializeOwned>(&self, path: String) -> Result<T, ClientError> {
        let asked = Asked::new(Method::GET, path);
        self.connections.answer(&asked).await
    }

    /// Asks something that needs a body, and changes nothing.
    async fn question<T: DeserializeOwned>(
        &self,
        path: String,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let asked = Asked::new(Method::POST, path).json(body)?;
        self.connections.answer(&asked).await
    }

    /// Asks for a change under a request id.
    async fn change<T: DeserializeOwned>(
        &self,
        path: String,
        body: &impl Serialize,
        request_id: &str,
    ) -> Result<T, ClientError> {
        let asked = Asked::new(Method::POST, path).json(body)?.wish(request_id);
        self.connections.answer(&asked).await
    }
}
