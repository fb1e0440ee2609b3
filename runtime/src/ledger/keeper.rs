//! What a ledger does of itself: it lets time pass, makes snapshots, forgets, and says how it is.
//!
//! # Invariant
//! A cluster in which nothing is due writes nothing.

use std::sync::{Arc, Weak};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver as _;
use rules::{Command, Principal, Proposal, Who, limits};
use tokio::sync::watch;

use super::{Inner, records};
use crate::clock::{self, Deadline};
use crate::store::Batch;
use crate::world::{self, Running, sleep, spawn, timeout};

/// At most one entry in so long lets time pass.
const TICK_MS: u64 = 250;
/// While something waits for time, an entry at least so often: the rules take no longer step.
const LONGEST_STEP_MS: u64 = limits::MAX_TICK_MS / 2;
/// How long a snapshot that could not be written is left alone.
const SNAPSHOT_RETRY: Duration = Duration::from_secs(5);
/// How often at most the members of consensus are compared with the nodes of the state.
const ALIGN_EVERY: Duration = Duration::from_millis(200);
/// They are compared so often even when nothing is applied: who leads may have changed.
const LOOK_FOR_MEMBERS: Duration = Duration::from_secs(2);
/// How often closed cases are looked at that may be too old to be kept, while others come.
const FORGET_EVERY: Duration = Duration::from_hours(1);
/// How often at most it is looked whether closed cases are missing.
const COPY_EVERY: Duration = Duration::from_secs(5);
/// The status is looked at so often even when nothing has said that it changed.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Whoever follows the entries here looks at most this often: each look takes time from an entry.
const PACE: Duration = Duration::from_millis(10);
/// What was denied is told at most this often: one entry, however much it was. A node that is killed
/// loses no more of it than this.
const DENIALS_EVERY: Duration = Duration::from_secs(5);
/// How long closing waits for it to be told: longer than a change of leader takes, and no longer than
/// whoever stops a node without a quorum wants to wait.
const LAST_DENIALS_LIMIT: Duration = Duration::from_secs(2);
/// How long the keeper sleeps at most before it looks whether its ledger is still there.
const LOOK: Duration = Duration::from_mins(1);

/// Starts what a ledger does of itself; it ends with the ledger.
pub(super) fn start(inner: &Arc<Inner>) -> Vec<Running<()>> {
    vec![
        spawn(tick(Arc::downgrade(inner), inner.machine.applied())),
        spawn(compact(Arc::downgrade(inner), inner.machine.applied())),
        spawn(tell(Arc::downgrade(inner))),
        spawn(super::aside::step_aside(Arc::downgrade(inner))),
        spawn(members(Arc::downgrade(inner), inner.machine.applied())),
        spawn(catch_up(Arc::downgrade(inner), inner.machine.applied())),
        spawn(tell_denials(Arc::downgrade(inner))),
        spawn(super::erase::keep(
            Arc::downgrade(inner),
            inner.machine.applied(),
        )),
        spawn(records::keep(
            Arc::downgrade(inner),
            inner.machine.applied(),
        )),
    ]
}

/// Proposes time where something waits for it.
async fn tick(ledger: Weak<Inner>, mut applied: watch::Receiver<u64>) {
    loop {
        let Some(wait) = ledger.upgrade().map(|inner| until_tick(&inner)) else {
            return;
        };
        match wait {
            Some(0) => {
                if let Some(inner) = ledger.upgrade() {
                    propose_tick(&inner).await;
                }
                sleep(Duration::from_millis(TICK_MS)).await;
            }
            Some(wait_ms) => {
                // An entry may bring the next alarm nearer, or move it away.
                let wait = Duration::from_millis(wait_ms);
                drop(timeout(wait, more(&mut applied)).await);
            }
            None => {
                if let Ok(Err(_)) = timeout(LOOK, more(&mut applied)).await {
                    return;
                }
            }
        }
    }
}

/// Waits for entries, and for those that follow closely.
async fn more(applied: &mut watch::Receiver<u64>) -> Result<(), watch::error::RecvError> {
    applied.changed().await?;
    sleep(PACE).await;
    Ok(())
}

/// Milliseconds until time must be proposed; none while nothing waits for it here.
fn until_tick(inner: &Inner) -> Option<u64> {
    if !inner.is_leader() {
        return None;
    }
    let (due, clock) = inner
        .machine
        .read(|state| state.ticks_wanted().map(|due| (due, state.clock)))?;
    let since_ms = inner.door.since_last_ms();
    let due_ms = due.0.saturating_sub(clock.0);
    Some(due_ms.min(LONGEST_STEP_MS).saturating_sub(since_ms))
}

async fn propose_tick(inner: &Inner) {
    let tick = Proposal {
        request: None,
        principal: Principal::own(Who::Ledger),
        wall_ms: clock::wall().0,
        command: Command::Tick,
        decision: None,
    };
    if let Err(error) = inner.door.propose(tick.into()).await {
        tracing::debug!("time could not be told: {error}");
    }
}

/// Has the ledger note what was denied on this node.
async fn tell_denials(ledger: Weak<Inner>) {
    loop {
        sleep(DENIALS_EVERY).await;
        let Some(inner) = ledger.upgrade() else {
            return;
        };
        inner.tell_denials().await;
    }
}

/// Makes snapshots, cuts the log behind them, and forgets the oldest closed cases.
async fn compact(ledger: Weak<Inner>, mut applied: watch::Receiver<u64>) {
    let mut forget_again = Deadline::after(Duration::ZERO);
    let Some(snapshots) = ledger
        .upgrade()
        .map(|inner| inner.machine.snapshots().clone())
    else {
        return;
    };
    let mut is_rotten = false;
    loop {
        let Some(inner) = ledger.upgrade() else {
            return;
        };
        let index = *applied.borrow_and_update();
        let covered = inner.machine.snapshots().index();
        if is_rotten || index.saturating_sub(covered) >= inner.snapshot_every {
            if let Err(error) = inner.snapshot().await {
                tracing::warn!("no snapshot for now: {error}");
                drop(inner);
                sleep(SNAPSHOT_RETRY).await;
                continue;
            }
            is_rotten = false;
            forget_again = Deadline::after(Duration::ZERO);
        }
        if forget_again.is_over() {
            forget_again = Deadline::after(FORGET_EVERY);
            let (keep, age_ms) = (inner.archived_cases, inner.archived_ms);
            let archive = Arc::clone(&inner.archive);
            let forgotten = world::blocking(move || archive.forget(keep, age_ms)).await;
            if let Ok(Err(error)) = forgotten {
                tracing::warn!("the oldest closed cases stay for now: {error}");
            }
        }
        drop(inner);
        tokio::select! {
            biased;
            applied = more(&mut applied) => if applied.is_err() { return },
            () = snapshots.rotted() => is_rotten = true,
        }
    }
}

impl Inner {
    /// Has the ledger note what was denied here since it was last told; says whether nothing is left.
    async fn tell_denials(&self) -> bool {
        let _alone = self.denials.telling.lock().await;
        let denials = self.denials.take();
        if denials.is_empty() {
            return true;
        }
        let told = Proposal {
            request: None,
            principal: Principal::own(Who::Ledger),
            wall_ms: clock::wall().0,
            command: Command::RecordDenials {
                denials: denials.clone(),
            },
            decision: None,
        };
        let told = self.propose(told).await;
        if let Err(error) = &told {
            // Told twice is better than never: the outcome may be unknown.
            tracing::debug!("what was denied could not be told: {error}");
            self.denials.give_back(denials);
        }
        told.is_ok()
    }

    /// Tells what was denied before the ledger is closed: the last that this node can do about it.
    pub(super) async fn tell_last_denials(&self) {
        // A proposal on its way is large, and whoever closes a ledger waits for much else.
        let told = Box::pin(self.tell_denials());
        if !matches!(timeout(LAST_DENIALS_LIMIT, told).await, Ok(true)) {
            tracing::warn!("what was denied here in the last seconds may not be on record");
        }
    }

    /// Makes a snapshot of now, and lets consensus cut the log behind it.
    pub(super) async fn snapshot(&self) -> std::io::Result<()> {
        let machine = self.machine.clone();
        let pictured = world::blocking(move || machine.picture()).await;
        let (covered, state) = pictured?.map_err(std::io::Error::other)?;
        // All that was handed over before, closed cases too, is durable once this is.
        let barrier = self.store.commit(Batch::default()).await;
        barrier.map_err(std::io::Error::other)?;
        let audit = Arc::clone(&self.audit);
        let synced = world::blocking(move || audit.sync()).await;
        synced??;
        let snapshots = self.machine.snapshots().clone();
        world::blocking(move || snapshots.write(&covered, &state)).await??;
        let asked = self.door.raft().trigger().snapshot().await;
        asked.map_err(std::io::Error::other)
    }
}

/// Tells who leads and how the disk is, when that changes; never for an entry alone.
async fn tell(ledger: Weak<Inner>) {
    let Some(inner) = ledger.upgrade() else {
        return;
    };
    let mut server = inner.door.raft().server_metrics();
    let mut storage = inner.store.status();
    drop(inner);
    loop {
        let Some(inner) = ledger.upgrade() else {
            return;
        };
        let status = inner.status();
        inner.told.send_if_modified(|told| {
            let is_new = !told.stands_as(&status);
            *told = status;
            is_new
        });
        drop(inner);
        tokio::select! {
            biased;
            changed = server.changed() => if changed.is_err() { return },
            changed = storage.changed() => if changed.is_err() { return },
            // A quorum that falls silent changes nothing that could be watched.
            () = sleep(TELL_EVERY) => {}
        }
    }
}

/// Has consensus follow the nodes that the state knows, where this node leads.
async fn members(ledger: Weak<Inner>, mut applied: watch::Receiver<u64>) {
    loop {
        let Some(inner) = ledger.upgrade() else {
            return;
        };
        applied.borrow_and_update();
        let is_settled = inner.align().await;
        inner.raise_version().await;
        drop(inner);
        sleep(ALIGN_EVERY).await;
        if is_settled && let Ok(Err(_)) = timeout(LOOK_FOR_MEMBERS, applied.changed()).await {
            return;
        }
    }
}

/// Copies closed cases that this node has not seen closed from whoever has them.
async fn catch_up(ledger: Weak<Inner>, mut applied: watch::Receiver<u64>) {
    loop {
        let Some(inner) = ledger.upgrade() else {
            return;
        };
        let is_whole = match inner.fetch_archive().await {
            Ok(is_whole) => is_whole,
            Err(error) => {
                tracing::debug!("closed cases are not copied for now: {error}");
                false
            }
        };
        drop(inner);
        if is_whole {
            let _ = timeout(LOOK, more(&mut applied)).await;
        }
        sleep(COPY_EVERY).await;
        if applied.has_changed().is_err() {
            return;
        }
    }
}
