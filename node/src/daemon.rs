//! The daemon: brings a node up part by part, says that it is ready, and takes it down in reverse.
//!
//! ```text
//! identity ─► links ─► ledger ─► blobs ─► gateway ─► engine ─► personas ─► admin socket ─► ready
//!                                                              node joins ─┘ (alone: before it)
//! ```
//!
//! # Invariant
//! Agents outlive the daemon: taking it down leaves their containers as they are.
//!
//! # Why
//! A node of a cluster is ready before it has joined: without a quorum it can still say how things
//! are, and it joins as soon as there is one.

mod capacity;
mod chaos;
mod checkpoints;
mod clear;
mod engine_watch;
mod enroll;
mod identity;
mod joining;
mod keeping;
mod logs;
mod neighbours;
mod open_ledger;
mod own;
mod recover;
mod restore;
mod service;
mod unconfined;
mod way_out;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actors::{House, Household, PlainCommands};
use config::settings::Settings;
use futures_util::FutureExt as _;
use rules::id::NodeId;
use runtime::accounts::NoHomeserver;
use runtime::blob::{BlobError, Blobs};
use runtime::clock;
use runtime::engine::{self, Confinement, EngineChoice, EngineError, EngineSettings, Opened};
use runtime::gateway::{Gateway, SecretError};
use runtime::lease::Leases;
use runtime::ledger::{Changes, Ledger, OpenError, ProposeError};
use runtime::links::{KeysError, LinkError};
use runtime::policy::BadMatrix;
use runtime::workshop::Workshop;
use runtime::workshop::boxes::Boxes;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::admin::limits::DoorLimits;
use crate::admin::{self, Here, InBoxes, Socket, SocketError};
use crate::bench::no_spools::NoSpools;
use crate::bench::stub::StubWorkshop;

pub(crate) use checkpoints::OWN as NOTARY;
pub use clear::clear;
pub use enroll::{EnrollError, Enrolled, Site, found, join};
pub use identity::IdentityError;
pub use joining::host_name;
pub use logs::BadFilter;
pub use recover::{Recoverable, Recovery, recoverable};
pub use restore::{RestoreError, restore};

use checkpoints::Notary;
use identity::Identity;
use open_ledger::open_ledger;

/// Longest wait for a leader at the start: a voter alone elects itself within a second.
const LEADER_WAIT: Duration = Duration::from_secs(30);
/// Longest wait for each part when the daemon ends; what is not done then is done at its next start.
const STOP_WAIT: Duration = Duration::from_secs(5);

/// Why a node does not come up, or goes down.
#[derive(Debug, Error)]
pub enum DaemonError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The filter of the logs is none.
    #[error(transparent)]
    Filter(#[from] BadFilter),
    /// The node's keys cannot be used.
    #[error("the node's keys cannot be used")]
    Keys(#[from] KeysError),
    /// The checkpoints of the record cannot be put aside.
    #[error("the checkpoints of the record cannot be put aside")]
    Checkpoints(#[source] std::io::Error),
    /// There are no links to other nodes.
    #[error("there are no links to other nodes")]
    Links(#[from] LinkError),
    /// The ledger does not open.
    #[error("the ledger does not open")]
    Ledger(#[from] OpenError),
    /// A human would be known by a user as whom agents run.
    #[error("agents run as user {uid}: people.users must name no human for it")]
    AgentsUser {
        /// The user.
        uid: u32,
    },
    /// Who may do what is not known.
    #[error(transparent)]
    Matrix(#[from] BadMatrix),
    /// The ledger takes nothing.
    #[error("the ledger takes nothing")]
    Propose(#[from] ProposeError),
    /// The node is refused by its cluster.
    #[error("the cluster refuses this node")]
    Refused(#[from] rules::Rejection),
    /// The blobs' folder cannot be used.
    #[error("the blobs cannot be used")]
    Blobs(#[from] BlobError),
    /// The secrets' folder cannot be used.
    #[error("the secrets of targets cannot be used")]
    Secrets(#[from] SecretError),
    /// There is no engine to run agents with.
    #[error("no engine can run agents here")]
    Engine(#[from] EngineError),
    /// The admin socket cannot be opened.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The personas do not start.
    #[error("the personas do not start: {0}")]
    Personas(String),
    /// No leader was elected in time.
    #[error("no leader was elected within {} s; look at the log for the reason", LEADER_WAIT.as_secs())]
    NoLeader,
    /// The stub agent of a measurement does not answer.
    #[error("the stub agent does not answer")]
    NoStub(#[source] std::io::Error),
    /// The program's own file, which agents' containers are given, is not to be found.
    #[error("the program does not find its own file")]
    OwnFile(#[source] std::io::Error),
    /// The system gives no thread for the leases.
    #[error("the system gives no thread for the node's lease")]
    NoThread(#[source] std::io::Error),
    /// The process cannot hear signals.
    #[error("signals cannot be heard")]
    Signals(#[source] std::io::Error),
}

/// How a node is run.
#[derive(Clone, Debug)]
pub struct Mode {
    /// Whether it is a cluster of one for trying things out: agents may run unconfined.
    pub is_dev: bool,
    /// For measuring: the socket of an agent that answers at once, instead of containers.
    pub stub_agent: Option<PathBuf>,
}

/// Runs a node until it is told to end by SIGTERM or SIGINT.
pub async fn run(settings: Settings, mode: Mode) -> Result<(), DaemonError> {
    logs::begin(&settings.log)?;
    let began = clock::boot();
    let mut term = signal(SignalKind::terminate()).map_err(DaemonError::Signals)?;
    let mut int = signal(SignalKind::interrupt()).map_err(DaemonError::Signals)?;
    let identity = own::own(&settings).await?;
    let node = NodeId(identity.node);
    let mut around = neighbours::Around::open(&settings, &identity).await?;
    let (ledger, changes) = open_ledger(&settings, &identity, around.links()).await?;
    let notary = Notary::begin(&identity, &settings, &ledger, around.keys())?;
    let blobs = keeping::open_blobs(&settings)?;
    let leases = around.lease(&ledger, &identity)?;
    around.serve(&ledger, &blobs, &leases, &identity);
    let gateway = way_out::open(&settings, node, &ledger, &leases)?;
    let hall = open_hall(&settings, &mode, &identity, &blobs, &gateway).await?;
    let house = House {
        node,
        ledger: ledger.clone(),
        blobs: blobs.clone(),
        workshop: Arc::clone(&hall.workshop),
        leases: leases.clone(),
        keeps: keeping::of_ended(&settings),
        accounts: Arc::new(NoHomeserver),
        understanding: Arc::new(PlainCommands),
    };
    let guard = leases.isolate(hall.workshop);
    gateway.follow(guard.watch(), hall.agents);
    let mut household = settle_in(house, changes).await?;
    way_out::tell(&ledger, &gateway, &identity, hall.agents);
    let orders = chaos::attend(&settings, &identity, &ledger, &hall.engine);
    let mut joining = joining::Joining::begin(&settings, &ledger, &identity, hall.engine).await?;
    let path = socket_path(&settings);
    let socket = Socket::bind(&path, settings.admin.mode)?;
    let (stop, stopped) = watch::channel(false);
    let door = admin::Node {
        id: node,
        cluster: identity.cluster.clone(),
        ledger: ledger.clone(),
        blobs,
        gateway,
        accounts: Arc::new(NoHomeserver),
        here: hall.here,
        agents: settings.agents.clone(),
        entrance: around.entrance(&identity),
        links: around.seen(),
        people: unconfined::people(&settings, &mode, hall.agents)?,
        limits: DoorLimits::of(&settings, admin::limits::open_files()),
        chaos: chaos::door(&settings, &household, orders),
    };
    let served = tokio::spawn(admin::serve(socket, door, stopped));
    let living = announce(&settings, &identity, &path, clock::boot().since(began));
    let why = tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = int.recv() => "SIGINT",
        why = broken(&mut household, &ledger) => why,
        refused = joining.refused() => return Err(refused),
    };
    tracing::info!(why, "ending; agents go on");
    service::ending();
    drop(guard);
    bounded("leadership", hand_over(&ledger)).await;
    // Whoever serves may have ended before; then nobody hears it.
    let _ = stop.send(true);
    bounded("the admin socket", served.map(drop)).await;
    leave(household, around, &leases, ledger, notary).await;
    living.inspect(tokio::task::JoinHandle::abort);
    Ok(())
}

async fn settle_in(house: House, changes: Changes) -> Result<Household, DaemonError> {
    let household = Household::found(house, changes).await;
    household.map_err(|error| DaemonError::Personas(error.to_string()))
}

/// Returns once a part is gone that only a new start brings back.
async fn broken(household: &mut Household, ledger: &Ledger) -> &'static str {
    tokio::select! {
        () = household.ended() => "the personas ended",
        why = ledger.broken() => {
            tracing::error!(why, "consensus broke off on this node; it begins anew when it is started");
            "consensus broke off"
        }
    }
}

/// Ends what this node has with others, from the top.
async fn leave(
    household: Household,
    mut around: neighbours::Around,
    leases: &Leases,
    ledger: Ledger,
    notary: Notary,
) {
    bounded("the personas", household.leave()).await;
    around.serve_no_more();
    leases.close();
    bounded("the last checkpoint", notary.end()).await;
    bounded("the ledger", ledger.close()).await;
    bounded("the links", around.close()).await;
}

/// Has another voter lead before this node goes, so that nobody waits for an election.
async fn hand_over(ledger: &Ledger) {
    let mut status = ledger.watch_status();
    let leads = {
        let status = status.borrow();
        status.is_leader && status.voters.len() > 1
    };
    if leads && ledger.hand_over(None).await.is_ok() {
        // A closed ledger leads no more.
        let _ = status.wait_for(|status| !status.is_leader).await;
    }
}

/// Where attempts are carried out, and what only this node knows of them.
struct Hall {
    workshop: Arc<dyn Workshop>,
    here: Arc<dyn Here>,
    engine: String,
    /// What confines the agents.
    agents: Confinement,
}

async fn open_hall(
    settings: &Settings,
    mode: &Mode,
    identity: &Identity,
    blobs: &Blobs,
    gateway: &Gateway,
) -> Result<Hall, DaemonError> {
    if let Some(socket) = &mode.stub_agent {
        let stub = StubWorkshop::connect(socket)
            .await
            .map_err(DaemonError::NoStub)?;
        let engine = "stub: an agent that answers at once, for measuring".to_owned();
        return Ok(Hall {
            workshop: Arc::new(stub),
            here: Arc::new(NoSpools),
            engine,
            agents: Confinement::Nothing,
        });
    }
    let opened = open_engine(settings, mode, identity).await?;
    let engine = opened.description.to_string();
    let agents = opened.description.confinement;
    let troubles = engine_watch::follow(opened.engine.as_ref(), opened.is_there);
    let boxes = Arc::new(Boxes::new(
        opened.engine,
        blobs.clone(),
        identity.cluster.clone(),
        NodeId(identity.node),
        gateway.clone(),
        settings.agents.grace_ms,
    ));
    let here = Arc::new(InBoxes::new(Arc::clone(&boxes), troubles));
    Ok(Hall {
        workshop: boxes,
        here,
        engine,
        agents,
    })
}

async fn open_engine(
    settings: &Settings,
    mode: &Mode,
    identity: &Identity,
) -> Result<Opened, DaemonError> {
    let choice = match settings.engine.kind {
        config::settings::EngineChoice::Auto => EngineChoice::Auto,
        config::settings::EngineChoice::Docker => EngineChoice::Docker,
        config::settings::EngineChoice::Process => EngineChoice::Process,
    };
    let domo = std::env::current_exe().map_err(DaemonError::OwnFile)?;
    let opened = engine::open(&EngineSettings {
        choice,
        docker_socket: settings.engine.docker_socket.clone(),
        data: settings.node.data.clone(),
        domo,
        cluster: identity.cluster.clone(),
        node: identity.node,
        unconfined: settings.engine.unconfined || mode.is_dev,
        confinement: None,
    })
    .await?;
    let (description, why) = (opened.description.to_string(), &opened.why);
    tracing::info!(engine = description, why, "agents are run by");
    unconfined::check(mode, opened.description.confinement)?;
    Ok(opened)
}

/// Says that the node is ready, on standard output too: the one line that a program waits for.
fn announce(
    settings: &Settings,
    identity: &Identity,
    socket: &std::path::Path,
    took: Duration,
) -> Option<tokio::task::JoinHandle<()>> {
    let name = joining::node_name(settings, identity);
    let data = settings.node.data.display();
    tracing::info!(name, %data, socket = %socket.display(), took_ms = took.as_millis(), "ready");
    let line = format!("ready: node {name}, admin socket {}\n", socket.display());
    // Whoever started the daemon may have closed its end.
    let _ = std::io::stdout().write_all(line.as_bytes());
    let _ = std::io::stdout().flush();
    service::ready()
}

async fn bounded(what: &str, ending: impl Future<Output = ()>) {
    if tokio::time::timeout(STOP_WAIT, ending).await.is_err() {
        tracing::warn!(
            what,
            limit_s = STOP_WAIT.as_secs(),
            "does not end in time; it is left"
        );
    }
}

/// Where a node's admin socket is, unless the settings say otherwise.
pub fn socket_path(settings: &Settings) -> PathBuf {
    settings
        .admin
        .socket
        .clone()
        .unwrap_or_else(|| settings.node.data.join("admin.sock"))
}
