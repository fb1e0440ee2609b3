//! A link's life: handed to ractor's own session, up when that is ready, beating until it is silent.
//!
//! ```text
//! begin ─► the older session of the peer is gone ─► handed in ─► ready ─► up ─► beat … ─► ended
//! ```
//!
//! # Why
//! The library never notices that a peer is silent, and takes a second session with the same peer
//! for a rival that it may refuse; so sessions are ended from here, and one after the other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ractor::{ActorId, ActorRef};
use ractor_cluster::node::NodeServerSessionInformation;
use ractor_cluster::{NodeEventSubscription, NodeServerMessage, NodeSessionMessage};
use rules::id::NodeId;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsStream;

use super::link::Link;
use super::post::{GROUP, Letter, SCOPE};
use super::shared::Shared;
use super::stream::Handed;
use crate::clock::{self, Deadline};
use crate::ledger::NoAnswer;

/// Time between two heartbeats.
const BEAT_EVERY: Duration = Duration::from_millis(500);
/// A heartbeat that takes longer is a miss: three of them and the time between two stay under three
/// seconds, and a peer that is merely busy is not given up.
const BEAT_LIMIT: Duration = Duration::from_millis(700);
/// Heartbeats missed one after the other that end a link.
const MISSES: u32 = 3;
/// The library's own handshake takes about two milliseconds; a peer that does not finish is gone.
const READY_LIMIT: Duration = Duration::from_secs(3);
/// How long the end of a session whose connection was cut is waited for.
const GONE_LIMIT: Duration = Duration::from_secs(1);

/// Where a session of the library's is.
#[derive(Clone, Debug)]
enum Stage {
    Handed,
    Ready {
        /// The library's number for the session, which its remote actors carry.
        number: u64,
        actor: ActorRef<NodeSessionMessage>,
    },
    Gone,
}

/// The library's sessions that are open, by label.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions(Arc<Mutex<BTreeMap<String, Session>>>);

#[derive(Debug)]
struct Session {
    peer: NodeId,
    stage: watch::Sender<Stage>,
}

impl Sessions {
    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, label: &str, peer: NodeId) -> watch::Receiver<Stage> {
        let stage = watch::Sender::new(Stage::Handed);
        let seen = stage.subscribe();
        self.open()
            .insert(label.to_owned(), Session { peer, stage });
        seen
    }

    /// Waits until no session with a peer is open, but not for long.
    async fn drained(&self, peer: NodeId) {
        let deadline = Deadline::after(GONE_LIMIT);
        loop {
            let stage = {
                let open = self.open();
                let of_peer = open.values().find(|session| session.peer == peer);
                of_peer.map(|session| session.stage.subscribe())
            };
            let Some(mut stage) = stage else { return };
            // It is taken out before it says that it is gone; its end drops the sender.
            let gone = stage.wait_for(|stage| matches!(stage, Stage::Gone));
            if tokio::time::timeout(deadline.left(), gone).await.is_err() {
                tracing::debug!(%peer, "an older session does not end");
                return;
            }
        }
    }

    /// What the library tells of its sessions comes here.
    pub fn subscription(&self) -> Box<dyn NodeEventSubscription> {
        Box::new(self.clone())
    }
}

impl NodeEventSubscription for Sessions {
    fn node_session_opened(&self, _: NodeServerSessionInformation) {}

    fn node_session_authenticated(&self, _: NodeServerSessionInformation) {}

    fn node_session_ready(&self, told: NodeServerSessionInformation) {
        if let Some(session) = self.open().get(&told.peer_addr) {
            session.stage.send_replace(Stage::Ready {
                number: told.node_id,
                actor: told.actor,
            });
        }
    }

    fn node_session_disconnected(&self, told: NodeServerSessionInformation) {
        if let Some(session) = self.open().remove(&told.peer_addr) {
            session.stage.send_replace(Stage::Gone);
        }
    }
}

/// Why a link ended; for people.
pub(super) type Why = String;

/// Why one ended whose other end did not come through the library's own handshake: by its cookie.
pub(super) const NO_SESSION: &str = "it refused the session";

/// Lives a link through; returns when it has ended.
pub(super) async fn live(
    shared: &Arc<Shared>,
    link: Arc<Link>,
    tls: TlsStream<TcpStream>,
    is_server: bool,
) -> Why {
    shared.peers.begin(&link);
    let mut lived = Lived {
        shared: Arc::clone(shared),
        link: Arc::clone(&link),
        actor: None,
    };
    shared.sessions.drained(link.peer).await;
    let label = format!("link-{:016x}", link.own_ticket);
    let mut stage = shared.sessions.add(&label, link.peer);
    let stream = Box::new(Handed {
        label: label.clone(),
        tls,
    });
    let handed = NodeServerMessage::ConnectionOpenedExternal { stream, is_server };
    if shared.node_server.cast(handed).is_err() {
        shared.sessions.open().remove(&label);
        return "this node is closing its links".to_owned();
    }
    let why = match ready(&mut stage).await {
        Ok((number, actor)) => {
            lived.actor = Some(actor);
            carry(shared, &link, number, &mut stage).await
        }
        Err(why) => why,
    };
    tracing::info!(peer = %link.peer, why, "a link has ended");
    why
}

async fn ready(
    stage: &mut watch::Receiver<Stage>,
) -> Result<(u64, ActorRef<NodeSessionMessage>), Why> {
    let moved = stage.wait_for(|stage| !matches!(stage, Stage::Handed));
    let Ok(moved) = tokio::time::timeout(READY_LIMIT, moved).await else {
        return Err("it did not finish the session's handshake".to_owned());
    };
    match moved.as_deref() {
        Ok(Stage::Ready { number, actor }) => Ok((*number, actor.clone())),
        Ok(Stage::Handed | Stage::Gone) | Err(_) => Err(NO_SESSION.to_owned()),
    }
}

async fn carry(
    shared: &Arc<Shared>,
    link: &Arc<Link>,
    number: u64,
    stage: &mut watch::Receiver<Stage>,
) -> Why {
    let posts = ractor::pg::get_scoped_members(&SCOPE.to_owned(), &GROUP.to_owned());
    let is_theirs =
        |id: ActorId| matches!(id, ActorId::Remote { node_id, .. } if node_id == number);
    let Some(post) = posts.into_iter().find(|post| is_theirs(post.get_id())) else {
        return "it has no post".to_owned();
    };
    drop(link.post.set(ActorRef::<Letter>::from(post)));
    if !shared.peers.up(link) {
        return "a newer link took its place".to_owned();
    }
    tracing::info!(peer = %link.peer, incarnation = link.incarnation, "linked");
    tokio::select! {
        why = beat(shared, link) => why,
        _ = stage.wait_for(|stage| matches!(stage, Stage::Gone)) => {
            "the connection was closed".to_owned()
        }
    }
}

async fn beat(shared: &Arc<Shared>, link: &Link) -> Why {
    let mut misses = 0;
    loop {
        let began = clock::boot();
        match link.beat(BEAT_LIMIT).await {
            Ok(round_trip_us) => {
                misses = 0;
                shared.peers.note_round_trip(link.peer, round_trip_us);
            }
            Err(NoAnswer::NoLink(_)) => return "the connection was closed".to_owned(),
            Err(_) => misses += 1,
        }
        if misses == MISSES {
            return format!("it was silent for {MISSES} heartbeats");
        }
        let spent = clock::boot().since(began);
        tokio::time::sleep(BEAT_EVERY.saturating_sub(spent)).await;
    }
}

/// Ends a link however its life ends.
struct Lived {
    shared: Arc<Shared>,
    link: Arc<Link>,
    actor: Option<ActorRef<NodeSessionMessage>>,
}

impl Drop for Lived {
    fn drop(&mut self) {
        self.link.held.cut();
        self.shared.peers.down(&self.link);
        if let Some(actor) = &self.actor {
            actor.stop(Some("the link has ended".to_owned()));
        }
    }
}
