//! Links: every node speaks to every other one that it needs, encrypted, both ends known, bounded.
//!
//! ```text
//!                      one port, TLS 1.3, both ends show certificates of the cluster
//! peer ─► listener ─► hello: who, to whom, what for ─┬─► link: ractor's session ─► post ─► Answerer
//!                                                    ├─► blobs, http, lease: Incoming
//!                                                    └─► join (no certificate yet): Gate
//! know(peers) ─► dialler: each greater number dials the smaller ones, again and again
//! ```
//!
//! # Invariant
//! `ractor_cluster`, `rustls` and `rcgen` are named in this folder and nowhere else. At most one
//! [`Linked`] in a process, because the library's registers are the process's.
//!
//! # Why
//! The library carries messages between actors well, and notices nothing: not a silent peer, not a
//! late message, not a stranger. All of that is done around it; its own listener gets no visitor.
//! A call is a hint with a limit: what became of one without an answer is not known.

mod age;
pub mod bare;
mod certs;
mod dialler;
mod join;
mod keys;
mod library;
mod link;
mod listener;
mod names;
mod peers;
mod post;
mod refusal;
mod session;
mod shared;
mod statement;
mod stream;
mod tls;
mod token;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ractor::{Actor, ActorRef};
use ractor_cluster::NodeServerMessage;
use rules::id::NodeId;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};

pub use certs::{PublicKey, Validity};
pub use join::{Admission, Admitted, Admitting, Gate, JoinError, JoinRequest, Newcomer, ask};
pub use keys::{Keys, KeysError};
pub use link::MAX_CALL_BYTES;
pub use names::{ClusterName, Fingerprint};
pub use peers::LinkStatus;
pub use refusal::{Refusal, RefusedHosts};
pub use statement::{Signature, Signers};
pub use stream::Stream;
pub(crate) use tls::WallClock;
pub use token::{JoinToken, TokenError};
pub use wire::{PROTOCOL, Purpose};

use crate::ledger::{Carried, Links, NoAnswer};
use library::Only;
use post::{Letter, Post};
use shared::{Came, MAX_JOINS, Shared};

/// From the connection to the end of the hello: a slow line takes a tenth of it.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(3);
/// Streams that were opened by other nodes and not taken yet; then more are refused.
const MAX_WAITING: usize = 64;
/// How often the certificate is looked at: far more often than it has to be renewed, and soon after a
/// host that slept for weeks has woken.
pub const RENEWAL_EVERY: Duration = Duration::from_hours(1);
/// How long an actor's end is waited for when links are closed.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Why there are no links.
#[derive(Debug, Error)]
pub enum LinkError {
    /// This cannot be a cluster's name.
    #[error("{0:?} is not a name of a cluster: 1 to 63 of a-z, 0-9 and -")]
    BadName(String),
    /// The keys are another node's or another cluster's: take the right folder.
    #[error("the keys are of node {found} of cluster {cluster}")]
    WrongKeys {
        /// Whose they are.
        found: NodeId,
        /// And of which cluster.
        cluster: ClusterName,
    },
    /// Links are open in this process already: close them first.
    #[error("links are open in this process already")]
    AlreadyOpen,
    /// The address is taken or not this machine's: choose another one.
    #[error("cannot listen on {address}")]
    CannotListen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The keys are of no use.
    #[error("the keys are of no use")]
    Keys(#[from] KeysError),
    /// Something that the links are built on does not work.
    #[error("links cannot be made: {0}")]
    Broken(String),
}

/// What links are opened with.
#[derive(Clone, Debug)]
pub struct LinkOptions {
    /// This node's number.
    pub node: NodeId,
    /// Which start of its daemon this is; greater than every one before.
    pub incarnation: u64,
    /// Its cluster.
    pub cluster: ClusterName,
    /// What it proves itself with.
    pub keys: Arc<Keys>,
    /// Where other nodes come to; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where a peer may be that is not where it was, `host:port`.
    pub seeds: Vec<String>,
    /// What is run, for people.
    pub release: String,
    /// How often the certificate is looked at; [`RENEWAL_EVERY`] but in tests.
    pub renewal_every: Duration,
}

/// An answer that is being made.
pub type Answering = Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>>;

/// Answers the calls of other nodes.
pub trait Answerer: Send + Sync + 'static {
    /// Answers a call; nothing says that nobody answers it. What is under way when the caller's
    /// limit is over is dropped.
    fn answer(&self, from: NodeId, call: Vec<u8>) -> Answering;
}

/// The links of this node; clones are handles to the same ones.
#[derive(Clone, Debug)]
pub struct Linked(Arc<Owner>);

#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
    post: ActorRef<Letter>,
    _only: Only,
}

/// Streams that other nodes open to this one.
#[derive(Debug)]
pub struct Incoming {
    came: mpsc::Receiver<Came>,
    closing: watch::Receiver<bool>,
}

impl Incoming {
    /// The next one; nothing after the links were closed, or broke for good, which is said in the log.
    pub async fn next(&mut self) -> Option<(NodeId, Purpose, Stream)> {
        tokio::select! {
            _ = self.closing.wait_for(|closing| *closing) => None,
            came = self.came.recv() => came,
        }
    }
}

impl Linked {
    /// Opens the port and waits for peers; [`Linked::know`] says whom to be linked with.
    pub async fn open(options: LinkOptions) -> Result<(Linked, Incoming), LinkError> {
        let keys = Arc::clone(&options.keys);
        if keys.node() != options.node || *keys.cluster() != options.cluster {
            return Err(LinkError::WrongKeys {
                found: keys.node(),
                cluster: keys.cluster().clone(),
            });
        }
        let only = Only::take()?;
        keys.renew_if_due()?;
        let listener = TcpListener::bind(options.listen).await;
        let cannot = |source| LinkError::CannotListen {
            address: options.listen,
            source,
        };
        let listener = listener.map_err(cannot)?;
        let local = listener.local_addr().map_err(cannot)?;
        let (incoming, came) = mpsc::channel(MAX_WAITING);
        let (node_server, library) = library::start(&options).await?;
        let shared = Arc::new(Shared {
            node: options.node,
            incarnation: options.incarnation,
            release: options.release.clone(),
            seeds: options.seeds.clone(),
            client: tls::client(&keys).map_err(broken)?,
            server: tls::server(&keys).map_err(broken)?,
            node_server,
            keys,
            local,
            peers: peers::Peers::new(),
            connections: stream::Connections::default(),
            refused: refusal::Refused::default(),
            sessions: session::Sessions::default(),
            incoming,
            joins: Arc::new(Semaphore::new(MAX_JOINS)),
            answerer: RwLock::default(),
            gate: RwLock::default(),
            closing: watch::Sender::new(false),
        });
        let (post, own) = Actor::spawn(None, Post, Arc::clone(&shared))
            .await
            .map_err(broken)?;
        let subscribed = shared
            .node_server
            .cast(NodeServerMessage::SubscribeToEvents {
                id: "links".to_owned(),
                subscription: shared.sessions.subscription(),
            });
        subscribed.map_err(broken)?;
        tokio::spawn(listener::listen(Arc::clone(&shared), listener));
        tokio::spawn(renew(Arc::clone(&shared), options.renewal_every));
        tokio::spawn(library::watch_over(Arc::clone(&shared), library, own));
        let closing = shared.closing.subscribe();
        let owner = Owner {
            shared,
            post,
            _only: only,
        };
        Ok((Linked(Arc::new(owner)), Incoming { came, closing }))
    }

    /// What newcomers tell this node's cluster by.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.shared.keys.fingerprint()
    }

    /// Has calls of other nodes answered; until then nobody answers them.
    pub fn answer_with(&self, answerer: Arc<dyn Answerer>) {
        let place = &self.0.shared.answerer;
        *place.write().unwrap_or_else(PoisonError::into_inner) = Some(answerer);
    }

    /// Has newcomers decided about; until then all are refused.
    pub fn admit_with(&self, gate: Arc<dyn Gate>) {
        let place = &self.0.shared.gate;
        *place.write().unwrap_or_else(PoisonError::into_inner) = Some(gate);
    }

    /// Whom to be linked with, and where they are (`host:port`); this node itself is passed over.
    ///
    /// All connections with a node that was known and is not any more end. A node that is not known
    /// yet may come by itself, if its certificate is good.
    pub fn know(&self, mut peers: BTreeMap<NodeId, String>) {
        let shared = &self.0.shared;
        peers.remove(&shared.node);
        let (newly, gone) = shared.peers.know(peers);
        for peer in gone {
            shared.connections.cut(peer);
        }
        for (peer, leave) in newly.into_iter().filter(|(peer, _)| *peer < shared.node) {
            tokio::spawn(dialler::keep_linked(Arc::clone(shared), peer, leave));
        }
    }

    /// Which nodes are refused from now on, whatever they show: those that were removed.
    pub fn refuse(&self, removed: BTreeSet<NodeId>) {
        let shared = &self.0.shared;
        shared.peers.refuse(removed.clone());
        for peer in removed {
            shared.connections.cut(peer);
        }
    }

    /// How the links do. Whoever watches is woken when one goes up or down, not for a round trip.
    pub fn status(&self) -> watch::Receiver<BTreeMap<NodeId, LinkStatus>> {
        self.0.shared.peers.status()
    }

    /// How many connections were refused since this node was started, by reason.
    pub fn refusals(&self) -> BTreeMap<Refusal, u64> {
        self.0.shared.refused.counts()
    }

    /// Who was refused since this was asked last.
    pub fn refused_hosts(&self) -> RefusedHosts {
        self.0.shared.refused.news()
    }

    /// Where other nodes come to.
    pub fn local_addr(&self) -> SocketAddr {
        self.0.shared.local
    }

    /// Opens a stream to a node that is known. Takes three seconds at most.
    pub async fn connect(&self, to: NodeId, purpose: Purpose) -> io::Result<Stream> {
        Ok(dialler::open_stream(&self.0.shared, to, purpose).await?)
    }

    /// Ends all links and streams, and frees the port. Takes at most a few seconds.
    pub async fn close(self) {
        let shared = &self.0.shared;
        shared.close();
        for ended in [
            shared
                .node_server
                .stop_and_wait(None, Some(CLOSE_LIMIT))
                .await
                .is_ok(),
            self.0
                .post
                .stop_and_wait(None, Some(CLOSE_LIMIT))
                .await
                .is_ok(),
        ] {
            if !ended {
                tracing::warn!("an actor of the links did not end within {CLOSE_LIMIT:?}");
            }
        }
    }
}

impl Links for Linked {
    fn call(&self, to: NodeId, call: Vec<u8>, limit: Duration) -> Carried<'_> {
        Box::pin(async move {
            let link = self.0.shared.peers.link_to(to);
            let link = link.ok_or(NoAnswer::NoLink(to))?;
            link.call(&call, limit).await
        })
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close();
        self.shared.node_server.stop(None);
        self.post.stop(None);
    }
}

/// Looks after the certificate.
async fn renew(shared: Arc<Shared>, every: Duration) {
    let mut closing = shared.closing.subscribe();
    loop {
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            () = tokio::time::sleep(every) => {}
        }
        match shared.keys.renew_if_due() {
            Ok(true) => tracing::info!("the node's certificate was renewed"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the node's certificate cannot be renewed"),
        }
    }
}

fn broken(error: impl std::fmt::Display) -> LinkError {
    LinkError::Broken(error.to_string())
}
