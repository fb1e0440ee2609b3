//! What all parts of a node's links share.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use ractor::ActorRef;
use ractor_cluster::NodeServerMessage;
use rules::id::NodeId;
use rustls::{ClientConfig, ServerConfig};
use tokio::sync::{Semaphore, mpsc, watch};

use super::join::Gate;
use super::peers::Peers;
use super::refusal::Refused;
use super::session::Sessions;
use super::stream::{Connections, Stream};
use super::wire::Purpose;
use super::{Answerer, Keys};

/// Newcomers who are talked to at one time: each costs a signature and an entry of the ledger.
pub(super) const MAX_JOINS: usize = 16;

/// A stream that another node opened.
pub(super) type Came = (NodeId, Purpose, Stream);

/// The links of a node.
pub(super) struct Shared {
    pub node: NodeId,
    pub incarnation: u64,
    pub release: String,
    pub seeds: Vec<String>,
    pub keys: Arc<Keys>,
    pub local: SocketAddr,
    pub client: Arc<ClientConfig>,
    pub server: Arc<ServerConfig>,
    pub peers: Peers,
    pub connections: Connections,
    pub refused: Refused,
    pub sessions: Sessions,
    pub node_server: ActorRef<NodeServerMessage>,
    pub incoming: mpsc::Sender<Came>,
    pub joins: Arc<Semaphore>,
    pub answerer: RwLock<Option<Arc<dyn Answerer>>>,
    pub gate: RwLock<Option<Arc<dyn Gate>>>,
    pub closing: watch::Sender<bool>,
}

impl Shared {
    pub fn answerer(&self) -> Option<Arc<dyn Answerer>> {
        self.answerer
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn gate(&self) -> Option<Arc<dyn Gate>> {
        self.gate
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Ends all that goes on.
    pub fn close(&self) {
        self.closing.send_replace(true);
        self.peers.leave_all();
        self.connections.close();
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}
