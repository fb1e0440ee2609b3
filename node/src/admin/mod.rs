//! The admin socket: how people and programs speak to a node, and the client that they use.
//!
//! ```text
//! client ─► socket ─► door (room? who?) ─► routes ─┬─ read ──► state, archive, spools ─► answer
//!                                                  └─ wish ──► ledger ─► verdict ──────► answer
//! ```
//!
//! # Invariant
//! What is asked is bounded before it is read, and what is answered as done is on a quorum's disks.
//! No route decides anything: it brings a command before the rules, or shows what they hold.
//!
//! # Why
//! HTTP and JSON over a Unix socket: every language and `curl` speak it, and the kernel says who
//! asks. One connection carries one request at a time, so nobody can open a thousand streams with
//! one connection, and a slow answer holds up nobody else.

mod attended;
mod auditor;
mod chaos;
pub mod client;
mod cluster_troubles;
pub(crate) mod convert;
mod deeds;
mod desk;
mod door;
mod extract;
mod here;
pub mod limits;
mod near;
mod patience;
mod people;
mod pieces;
mod refused;
mod reign;
mod room_name;
mod routes;
mod socket;
mod standing;
mod status_board;
mod stream;
mod troubles;
pub mod wire;
mod wish;

use std::collections::BTreeMap;
use std::sync::Arc;

use config::settings::AgentSettings;
use rules::id::NodeId;
use runtime::accounts::Accounts;
use runtime::blob::Blobs;
use runtime::clock;
use runtime::gateway::Gateway;
use runtime::ledger::Ledger;
use runtime::links::{Fingerprint, LinkStatus};
use tokio::sync::{Semaphore, watch};

use desk::{Desk, ROOM_UNIT_BYTES};
use door::Door;
use limits::DoorLimits;

pub use chaos::Chaos;
pub use here::{Here, InBoxes};
pub use people::{People, TOKEN_PREFIX};
pub use socket::{Socket, SocketError};

/// How the links with other nodes do, as that changes.
pub type LinksSeen = watch::Receiver<BTreeMap<NodeId, LinkStatus>>;

/// The node that the socket speaks for.
pub struct Node {
    /// Its number.
    pub id: NodeId,
    /// Its cluster's unique name.
    pub cluster: String,
    /// Its ledger.
    pub ledger: Ledger,
    /// Its blobs.
    pub blobs: Blobs,
    /// Its agents' way out, with the secrets that it has.
    pub gateway: Gateway,
    /// Where people get accounts outside of its cluster.
    pub accounts: Arc<dyn Accounts>,
    /// What only it knows.
    pub here: Arc<dyn Here>,
    /// What a document leaves open.
    pub agents: AgentSettings,
    /// What newcomers tell its cluster by, and where they may ask; none where there are no links.
    pub entrance: Option<(Fingerprint, String)>,
    /// How its links with the others do; none where there are none.
    pub links: Option<LinksSeen>,
    /// Who may ask.
    pub people: People,
    /// What protects it.
    pub limits: DoorLimits,
    /// How it is broken on purpose, where that is allowed.
    pub chaos: Option<Chaos>,
}

/// Every path that is served, as routes are written; `{*name}` stands for all that follows.
pub fn paths() -> Vec<&'static str> {
    routes::paths()
}

/// Serves the socket until `stop` becomes true or its sender is gone; then lets open requests
/// finish, for at most [`limits::STOP_GRACE`], and removes the socket.
pub async fn serve(socket: Socket, node: Node, stop: watch::Receiver<bool>) {
    let Node {
        id,
        cluster,
        ledger,
        blobs,
        gateway,
        accounts,
        here,
        agents,
        entrance,
        links,
        people,
        limits,
        chaos,
    } = node;
    let room = |units: u64| {
        let units = usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS);
        Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS)))
    };
    let desk = Arc::new(Desk {
        node: id,
        cluster,
        reign: reign::follow(&ledger),
        ledger,
        blobs,
        gateway,
        accounts,
        here,
        agents,
        entrance,
        links,
        started: clock::wall(),
        streams: room(limits.streams as u64),
        uploads: room(limits.uploads as u64),
        bodies: room(limits.bodies_bytes / ROOM_UNIT_BYTES),
        limits,
        troubles: troubles::Troubles::default(),
        board: status_board::Board::default(),
        chaos,
        stop: stop.clone(),
    });
    let router = routes::router(Arc::clone(&desk));
    let door = Door {
        desk,
        people,
        router,
    };
    door.keep(&socket, stop).await;
}
