//! The ledger: every command at its place, durable before it is answered, applied in order.

mod changes;
mod options;
mod status;

use std::sync::{Arc, PoisonError, RwLock};

use rules::id::CaseId;
use rules::{Command, Entry, Principal, Proposal, State, Verdict, Who};
use tokio::sync::watch;

pub use changes::{CaseWatch, Changes};
pub use options::{Limits, OpenError, OpenOptions, ProposeError, StoreKind};
pub use status::{LedgerStatus, StorageStatus};

use crate::archive::Archive;
use crate::clock::{self, BootMs};
use changes::Touched;

/// A node's ledger; clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Ledger(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: RwLock<(State, BootMs)>,
    archive: Archive,
    touched: Touched,
    applied: watch::Sender<u64>,
    status: watch::Sender<LedgerStatus>,
}

impl Ledger {
    /// Opens the ledger of a folder; replays what it holds.
    #[expect(
        clippy::unused_async,
        reason = "the files are opened beside other work"
    )]
    pub async fn open(options: OpenOptions) -> Result<(Self, Changes), OpenError> {
        let (touched, changes) = Touched::new();
        let status = LedgerStatus {
            term: 1,
            leader: Some(options.node),
            is_leader: true,
            applied: 0,
            committed: 0,
            last_log: 0,
            snapshot_index: 0,
            log_bytes: 0,
            syncs: 0,
            storage: StorageStatus::Ok,
        };
        let inner = Arc::new(Inner {
            state: RwLock::new((State::default(), clock::boot())),
            archive: Archive::default(),
            touched,
            applied: watch::Sender::new(0),
            status: watch::Sender::new(status),
        });
        tokio::spawn(tick(Arc::downgrade(&inner)));
        Ok((Self(inner), changes))
    }

    /// Makes a new ledger the ledger of a cluster of one; says whether it was new.
    #[expect(
        clippy::unused_async,
        reason = "the first entry is written beside other work"
    )]
    pub async fn init_single(&self) -> Result<bool, ProposeError> {
        Ok(self.0.status.borrow().applied == 0)
    }

    /// Brings a command before the cluster and gives its verdict, once it is durable and applied.
    #[expect(
        clippy::unused_async,
        reason = "the entry is written beside other work"
    )]
    pub async fn propose(&self, proposal: Proposal) -> Result<Verdict, ProposeError> {
        Ok(self.0.apply(proposal))
    }

    /// Looks at the state as it is applied here; keep it short, nothing is applied meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        look(&state.0)
    }

    /// Waits until this node has applied everything that was committed when it was asked.
    #[expect(clippy::unused_async, reason = "a quorum is asked")]
    pub async fn linearize(&self) -> Result<(), ProposeError> {
        Ok(())
    }

    /// The place of the last entry that was applied here, as it grows.
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.0.applied.subscribe()
    }

    /// Follows one case: wakes whoever waits for it, and nobody else.
    pub fn watch_case(&self, case: CaseId) -> CaseWatch {
        self.0.touched.watch(case)
    }

    /// How it is doing.
    pub fn status(&self) -> LedgerStatus {
        self.0.status.borrow().clone()
    }

    /// How it is doing, as it changes.
    pub fn watch_status(&self) -> watch::Receiver<LedgerStatus> {
        self.0.status.subscribe()
    }

    /// The closed cases.
    pub fn archive(&self) -> &Archive {
        &self.0.archive
    }

    /// Stops it; what was answered is durable already.
    #[expect(clippy::unused_async, reason = "what is under way is waited for")]
    pub async fn close(self) {
        self.0.touched.end();
    }
}

impl Inner {
    fn apply(&self, proposal: Proposal) -> Verdict {
        let mut guard = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let (state, last) = &mut *guard;
        let now = clock::boot();
        let entry = Entry {
            index: state.index + 1,
            term: 1,
            elapsed_ms: now.0.saturating_sub(last.0),
            proposal,
        };
        *last = now;
        let applied = rules::apply(state, &entry);
        self.archive.add(applied.closed);
        let index = state.index;
        drop(guard);
        self.touched.add(applied.touched);
        self.status.send_modify(|status| {
            (status.applied, status.committed, status.last_log) = (index, index, index);
        });
        self.applied.send_replace(index);
        applied.verdict
    }
}

/// Lets time pass for those who wait for it, at most one entry in so many milliseconds.
const TICK_MS: u64 = 250;

async fn tick(inner: std::sync::Weak<Inner>) {
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(TICK_MS)).await;
        let Some(inner) = inner.upgrade() else { return };
        let is_due = {
            let guard = inner.state.read().unwrap_or_else(PoisonError::into_inner);
            let (state, last) = &*guard;
            let elapsed_ms = clock::boot().0.saturating_sub(last.0);
            state
                .ticks_wanted()
                .is_some_and(|due| state.clock.plus(elapsed_ms) >= due)
        };
        if is_due {
            let tick = Proposal {
                request: None,
                principal: Principal::own(Who::Ledger),
                wall_ms: clock::wall().0,
                command: Command::Tick,
            };
            // A tick has nothing to be refused for; time passes either way.
            drop(inner.apply(tick));
        }
    }
}
