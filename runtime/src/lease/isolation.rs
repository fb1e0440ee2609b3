//! A node without a lease keeps its agents still; one that has a lease again lets go on what is
//! still wanted, and kills the rest.
//!
//! ```text
//!             lease over                              frozen again each half second
//! together ──────────────► isolated: nothing has an effect, everything frozen ◄─┐
//!    ▲                        │ lease again                                      │
//!    └── thaw, or kill ◄── the ledger has caught up ── lease over again ─────────┘
//! ```
//!
//! # Invariant
//! Whatever was frozen and is superseded never runs another instruction.
//!
//! # Why
//! Freezing saves work and money; safety rests on the entry that supersedes. It is done again and
//! again rather than once, because what was being started while the lease ended is not seen at
//! once. A daemon begins isolated, and freezes nothing before one whole lease is over: one that is
//! started again within its lease changes nothing for its agents.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::thread::Shared;
use super::{Bench, LEASE, Workshop};
use crate::clock::{self, BootMs, Deadline};

/// How long the kernel may take to freeze what runs: far more than it needs, and with the lease
/// still less than it takes until the node is called down.
const FREEZE_LIMIT: Duration = Duration::from_secs(1);
/// How often it is frozen again, and at the latest noticed that the lease is over.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long catching up is waited for before it is begun anew.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(5);

/// How a node stands to its cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Isolated {
    /// Since when nothing of its agents may have an effect; none while it holds its lease.
    pub since: Option<BootMs>,
    /// How many containers are frozen.
    pub frozen: usize,
    /// Containers that could not be frozen, and why.
    pub going_on: Vec<String>,
}

/// Keeps the agents of a node still while it has no lease.
pub(super) struct Isolation {
    shared: Arc<Shared>,
    workshop: Arc<dyn Workshop>,
    /// The daemon's own runtime: what asks an engine is done there.
    daemon: Handle,
    told: watch::Sender<Isolated>,
    started: BootMs,
}

impl Isolation {
    /// Inside the daemon's runtime.
    pub fn new(
        shared: Arc<Shared>,
        workshop: Arc<dyn Workshop>,
    ) -> (Self, watch::Receiver<Isolated>) {
        let started = clock::boot();
        let told = watch::Sender::new(Isolated {
            since: Some(started),
            ..Isolated::default()
        });
        let isolated = told.subscribe();
        let isolation = Self {
            shared,
            workshop,
            daemon: Handle::current(),
            told,
            started,
        };
        (isolation, isolated)
    }

    /// Goes on for ever.
    pub async fn run(self) {
        loop {
            if self.shared.holds() {
                let back = async {
                    self.come_back().await;
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    () = back => {}
                    () = self.until_over() => {}
                }
            } else if self.shared.ledger.leader().1 {
                // Who is alone asks nobody: this process did not run for a while, nothing more.
                self.shared.renew_own();
            } else {
                self.be_isolated().await;
            }
        }
    }

    /// Waits until the lease is over.
    async fn until_over(&self) {
        let mut ends = self.shared.ends();
        while self.shared.holds() {
            let now = clock::boot();
            let left = ends
                .borrow_and_update()
                .map_or(Duration::ZERO, |ends| ends.since(now));
            drop(timeout(left.min(LOOK_EVERY), ends.changed()).await);
        }
    }

    async fn be_isolated(&self) {
        let mut ends = self.shared.ends();
        ends.mark_unchanged();
        self.told.send_if_modified(|told| {
            let is_new = told.since.is_none();
            if is_new {
                told.since = Some(clock::boot());
            }
            is_new
        });
        let had_one = self.shared.status().granted_by.is_some();
        if had_one || clock::boot().since(self.started) > LEASE {
            self.freeze().await;
        }
        drop(timeout(LOOK_EVERY, ends.changed()).await);
    }

    async fn freeze(&self) {
        let frozen = match self.workshop.freeze(Deadline::after(FREEZE_LIMIT)).await {
            Ok(frozen) => frozen,
            Err(error) => {
                tracing::error!(%error, "agents cannot be frozen");
                return;
            }
        };
        self.told.send_if_modified(|told| {
            let is_new = told.frozen != frozen.halted || told.going_on != frozen.going_on;
            if is_new {
                let (halted, going_on) = (frozen.halted, &frozen.going_on);
                tracing::warn!(halted, ?going_on, "the lease is over: agents are frozen");
                told.frozen = frozen.halted;
                told.going_on = frozen.going_on;
            }
            is_new
        });
    }

    /// Ends the isolation once the state is as it is for the others, and sees to what is frozen.
    async fn come_back(&self) {
        loop {
            match timeout(CATCH_UP_LIMIT, self.shared.ledger.linearize()).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => tracing::debug!(%error, "not caught up yet"),
                Err(_) => tracing::debug!("not caught up within {CATCH_UP_LIMIT:?}"),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.told.send_if_modified(|told| {
            let was_isolated = told.since.take().is_some();
            if was_isolated {
                tracing::info!("this node holds its lease");
            }
            was_isolated
        });
        while let Err(error) = self.see_to_frozen().await {
            tracing::warn!(%error, "what is frozen stays so for now");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.told.send_modify(|told| {
            told.frozen = 0;
            told.going_on.clear();
        });
    }

    async fn see_to_frozen(&self) -> Result<(), super::WorkshopError> {
        let mut unwanted = JoinSet::new();
        for bench in self.workshop.frozen().await? {
            let wanted = self.shared.ledger.read(|state| {
                let is_kept = state.keeps_container(self.shared.node, &bench.worker, bench.epoch);
                let worker = state.workers.get(&bench.worker).filter(|_| is_kept);
                worker.map(|worker| worker.running.clone())
            });
            if let Some(wanted) = wanted {
                self.workshop.thaw(&bench, &wanted).await?;
            } else {
                let removing = remove(Arc::clone(&self.workshop), bench);
                unwanted.spawn_on(removing, &self.daemon);
            }
        }
        let mut result = Ok(());
        while let Some(removed) = unwanted.join_next().await {
            result = result.and(removed.unwrap_or(Ok(())));
        }
        result
    }
}

async fn remove(workshop: Arc<dyn Workshop>, bench: Bench) -> Result<(), super::WorkshopError> {
    let (worker, epoch) = (&bench.worker, bench.epoch);
    tracing::info!(%worker, %epoch, "a frozen container that was superseded is removed");
    workshop.clear(&bench).await
}
