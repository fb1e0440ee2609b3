//! The gateway: the only way out for the agents of a node, and what keeps account of it.
//!
//! ```text
//! agent ─► its attempt's socket ─► token? current? lease? target? team? class?
//!                                    │ reads                │ changes
//!                                    │                      ▼
//!                                    │                  BeginEffect ─► go ─┐
//!                                    ▼                                     ▼
//!                                  target ◄── + this node's secret ──── target ─► EndEffect ─► agent
//! ```
//!
//! # Invariant
//! A request that changes something leaves only after its intent was committed as a current one.
//! What this node cannot know to be current, it refuses: without its lease, or before it has caught
//! up with the ledger, nothing gets through.
//!
//! # Why
//! One socket for each attempt, in a folder that only its container sees: who asks is known by the
//! place, and the token tells that apart from whatever else runs there. Folders are mounted and not
//! sockets, so that a daemon that is started again can open it anew under a running agent.

mod admit;
mod answer;
mod asked;
mod body;
mod bounds;
mod carry;
mod check;
mod connect;
mod effect;
mod flushed;
mod ordinals;
mod porch;
mod refusal;
mod secrets;
mod token;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rules::id::{AttemptId, NodeId};
use rules::{Proposal, Verdict};
use tokio::sync::{Semaphore, watch};

pub use admit::Pass;
pub use bounds::Bounds;
pub use check::{Checked, Finding};
pub use effect::DONE_BEFORE;
pub use refusal::{Code, EFFECT, REFUSAL, Refusal};
pub use secrets::{SECRET_LIMIT_BYTES, Secret, SecretError, Secrets};
pub use token::Token;

use bounds::ROOM_UNIT_BYTES;
use connect::Ways;
use porch::Porch;

use crate::engine::Confinement;
use crate::lease::{Isolated, Leases};
use crate::ledger::{Ledger, ProposeError};
use crate::spool::{AttemptName, Spool};
use crate::workshop::Bench;

/// How long a request waits for a node that has a lease again and catches up.
const COME_BACK_LIMIT: Duration = Duration::from_secs(5);

/// What a gateway is opened with.
#[derive(Debug)]
pub struct GatewayOptions {
    /// The node.
    pub node: NodeId,
    /// Its ledger.
    pub ledger: Ledger,
    /// Its leases.
    pub leases: Leases,
    /// Its data folder, with the secrets below it.
    pub data: PathBuf,
    /// A file with authorities that are trusted beside the system's.
    pub authorities: Option<PathBuf>,
    /// Its limits.
    pub bounds: Bounds,
}

/// A node's gateway; clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Gateway(Arc<Shared>);

/// What all lines share.
#[derive(Debug)]
struct Shared {
    node: NodeId,
    ledger: Ledger,
    leases: Leases,
    /// How the node stands; until that is known nothing gets through.
    standing: OnceLock<Standing>,
    secrets: Secrets,
    ways: Ways,
    bounds: Bounds,
    bodies: Arc<Semaphore>,
    open: Mutex<BTreeMap<AttemptId, Porch>>,
}

/// How a node stands: to its cluster, and to its own agents.
#[derive(Debug)]
struct Standing {
    isolated: watch::Receiver<Isolated>,
    agents: Confinement,
}

impl Gateway {
    /// Opens the gateway of a node; it lets nothing through before [`Gateway::follow`].
    pub fn open(options: GatewayOptions) -> Result<Self, SecretError> {
        let units = options.bounds.bodies_bytes / ROOM_UNIT_BYTES;
        let units = usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self(Arc::new(Shared {
            node: options.node,
            ledger: options.ledger,
            leases: options.leases,
            standing: OnceLock::new(),
            secrets: Secrets::open(&options.data)?,
            ways: Ways::new(options.authorities),
            bounds: options.bounds,
            bodies: Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))),
            open: Mutex::default(),
        })))
    }

    /// Lets requests through from now on, except while the node is isolated, and except for what
    /// changes anything where `agents` says that nothing confines them.
    pub fn follow(&self, isolated: watch::Receiver<Isolated>, agents: Confinement) {
        let standing = Standing { isolated, agents };
        let is_first = self.0.standing.set(standing).is_ok();
        debug_assert!(is_first, "a node has one guard");
    }

    /// The secrets of this node.
    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// Opens the socket of an attempt, unless it is open; its token is in its input folder. Inside a
    /// tokio runtime.
    pub fn let_in(&self, pass: &Pass, spool: &Spool, name: &AttemptName) -> io::Result<()> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = open
            .get(&pass.attempt)
            .is_some_and(|porch| porch.pass == *pass);
        if !is_open {
            let porch = Porch::open(&self.0, pass.clone(), spool, name)?;
            open.insert(pass.attempt, porch);
        }
        Ok(())
    }

    /// Closes the socket of an attempt and cuts its lines.
    pub fn let_out(&self, attempt: AttemptId) {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&attempt);
    }

    /// Closes all sockets of a container and cuts their lines.
    pub fn clear(&self, bench: &Bench) {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, porch| porch.pass.bench != *bench);
    }
}

impl Shared {
    /// Whether anything may have an effect at this very moment.
    fn may_act(&self) -> Result<(), Refusal> {
        let is_known = self.standing.get();
        let is_isolated = is_known.is_none_or(|known| known.isolated.borrow().since.is_some());
        if !is_isolated && self.leases.holds() {
            return Ok(());
        }
        let why = "this node has no lease now: nothing may have an effect; ask again later";
        Err(Refusal::new(Code::Isolated, why))
    }

    /// Waits out the moment between a new lease and the end of the isolation, while the ledger catches
    /// up: an attempt that is begun meanwhile, by a leader who believes this node again, is not told
    /// that it may do nothing.
    async fn come_back(&self) {
        let Some(mut isolated) = self.isolated().filter(|_| self.leases.holds()) else {
            return;
        };
        let together = isolated.wait_for(|now| now.since.is_none());
        // Whether it came to that is looked at by whoever asks.
        drop(tokio::time::timeout(COME_BACK_LIMIT, together).await);
    }

    /// Whether agents of this node may change anything outside: whoever sees what the daemon's user
    /// sees could take another's token.
    fn may_change(&self) -> Result<(), Refusal> {
        match self.standing.get().map(|standing| standing.agents) {
            Some(Confinement::Container | Confinement::Bubblewrap | Confinement::OwnUid) => Ok(()),
            Some(Confinement::Nothing) | None => {
                let why = "agents of this node run without a sandbox and may change nothing \
                           outside: have the worker run on a node with Docker or bubblewrap";
                Err(Refusal::new(Code::Unconfined, why))
            }
        }
    }

    /// Why the lines of an attempt were cut.
    fn why_cut(&self, pass: &Pass) -> Refusal {
        let current = self
            .ledger
            .read(|state| admit::current(state, self.node, pass).map(|_| ()));
        let why = self.may_act().and(current);
        why.err().unwrap_or_else(|| {
            Refusal::new(
                Code::Isolated,
                "this node had no lease for a moment; ask again",
            )
        })
    }

    fn isolated(&self) -> Option<watch::Receiver<Isolated>> {
        self.standing.get().map(|known| known.isolated.clone())
    }

    async fn propose(&self, proposal: Proposal) -> Result<Verdict, ProposeError> {
        self.ledger.propose(proposal).await
    }
}
