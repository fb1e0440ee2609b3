//! Leases: a node's time-limited right to let its agents have effects.
//!
//! ```text
//! host ── Renewal, every 500 ms ──► leader: has a quorum, host not down ──► granted for 3 s
//!   │ counts from its sending         │ remembers when it granted
//!   ▼                                 ▼
//! Isolation: no lease, agents frozen  Manager: nothing granted for 5 s, so it is down
//! ```
//!
//! # Invariant
//! At no moment does a host hold a lease while a leader has called it down: whatever is lost or
//! late, whoever sleeps, and though each clock may be wrong by one in a hundred.
//!
//! # Why
//! Host and leader are pure ([`Host`], [`Grantor`]); what carries them is a thread with a runtime of
//! its own, so that no load on the daemon delays a renewal. Renewing belongs to the ledger's leader
//! and not to the Manager: teams go on while he is dead.

mod grantor;
mod host;
mod isolation;
mod lines;
mod renew;
mod serve;
mod thread;
mod words;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rules::id::NodeId;
use tokio::sync::{mpsc, watch};

use crate::clock;
use crate::ledger::Ledger;
use crate::workshop::{Bench, Workshop, WorkshopError};

pub use grantor::{Grantor, Known, Opinion};
pub use host::Host;
pub use isolation::Isolated;
pub use lines::{Connecting, Line, Lines, Link, NoLines};
pub use words::Refusal;

use isolation::Isolation;
use thread::{Came, Shared};

/// How often a host renews: six times within a lease.
pub const RENEW_EVERY: Duration = Duration::from_millis(500);
/// How long a lease lasts, from the sending of its renewal.
pub const LEASE: Duration = Duration::from_secs(3);
/// A leader grants while its quorum has confirmed it within this: several heartbeats, some of them
/// late on a loaded machine. With [`LEASE`] it must stay well below [`DOWN_AFTER`].
pub const QUORUM_AGE: Duration = Duration::from_secs(1);
/// A node is down when it was granted nothing for so long.
pub const DOWN_AFTER: Duration = Duration::from_secs(5);
// With every clock one in a hundred wrong, the last lease ends before anybody is called down.
const _: () = assert!(
    (QUORUM_AGE.as_millis() + LEASE.as_millis()) * 102 < DOWN_AFTER.as_millis() * 98,
    "a lease could outlast the wait of the next leader"
);

/// Connections of hosts that wait to be served; then more are refused.
const MAX_WAITING: usize = 64;

/// What leases are started with.
#[derive(Debug)]
pub struct LeaseOptions {
    /// This node.
    pub node: NodeId,
    /// Which start of its daemon this is; the one that joins the cluster.
    pub incarnation: u64,
    /// Its ledger.
    pub ledger: Ledger,
    /// Its connections.
    pub lines: Arc<dyn Lines>,
}

/// How a node does with its own lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseStatus {
    /// What is left of it; nothing when it has none.
    pub left: Duration,
    /// Who granted it last, and in which term.
    pub granted_by: Option<(NodeId, u64)>,
    /// Why it was not renewed, when it was not the last time.
    pub trouble: Option<String>,
}

/// The leases of a node, as host and as leader; clones are handles to the same ones.
#[derive(Clone, Debug)]
pub struct Leases(Arc<Owner>);

#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
    coming: mpsc::Sender<Came>,
    stop: watch::Sender<bool>,
}

impl Leases {
    /// Starts renewing, and granting where this node leads, on a thread of its own.
    ///
    /// # Errors
    /// The system gives no thread, or no descriptors for it.
    pub fn start(options: LeaseOptions) -> io::Result<Leases> {
        let (coming, came) = mpsc::channel(MAX_WAITING);
        let stop = watch::Sender::new(false);
        let shared = thread::start(options, came, stop.subscribe())?;
        Ok(Leases(Arc::new(Owner {
            shared,
            coming,
            stop,
        })))
    }

    /// Serves a connection that another node has opened for its lease; `from` is proven.
    pub fn take(&self, from: NodeId, line: Box<dyn Line>) {
        if self.0.coming.try_send((from, line)).is_err() {
            tracing::warn!(%from, "too many connections for leases wait; this one is refused");
        }
    }

    /// Whether this node holds its lease at this very moment, by the clock: a process that slept
    /// finds out here before anything else has told it.
    pub fn holds(&self) -> bool {
        self.0.shared.holds()
    }

    /// Returns once this node holds its lease; never when it gets none any more.
    pub async fn held(&self) {
        let mut ends = self.0.shared.ends();
        while !self.holds() {
            if ends.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// How this node does with its own lease.
    pub fn status(&self) -> LeaseStatus {
        self.0.shared.status()
    }

    /// What ought to be thought of nodes otherwise than the state does, where this node leads.
    pub fn opinions(&self) -> Vec<Opinion> {
        self.0.shared.opinions()
    }

    /// Grants a node nothing more because it is about to be called down; says no if it may still
    /// hold a lease. Nobody is called down without this.
    pub fn condemn(&self, node: NodeId, incarnation: u64) -> bool {
        self.0.shared.condemn(node, incarnation)
    }

    /// Has the agents of a workshop frozen while this node holds no lease, and thawed or killed when
    /// it has one again.
    pub fn isolate(&self, workshop: Arc<dyn Workshop>) -> Guard {
        let (isolation, isolated) = Isolation::new(Arc::clone(&self.0.shared), workshop);
        let task = self.0.shared.runtime.spawn(isolation.run());
        Guard {
            leases: self.clone(),
            isolated,
            task,
        }
    }

    /// Ends renewing and granting.
    pub fn close(&self) {
        self.0.stop.send_replace(true);
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Keeps a node's agents from going on without its lease; dropped, it leaves them as they are.
#[derive(Debug)]
pub struct Guard {
    leases: Leases,
    isolated: watch::Receiver<Isolated>,
    task: tokio::task::JoinHandle<()>,
}

impl Guard {
    /// Whether nothing of this node's agents may have an effect at this very moment.
    pub fn is_isolated(&self) -> bool {
        !self.leases.holds() || self.isolated.borrow().since.is_some()
    }

    /// How it stands, as it changes: open streams are cut when it says isolated.
    pub fn watch(&self) -> watch::Receiver<Isolated> {
        self.isolated.clone()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.task.abort();
    }
}
