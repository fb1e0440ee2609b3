//! Texts that the state says are erased are taken out of what this node keeps of them.
//!
//! # Invariant
//! What comes from another node later is looked through again; the log and the snapshot that may
//! hold the texts are cut behind a new one as soon as they are gone from everything else.
//!
//! # Why
//! The state names the cases for ever and each node compares, at each start too: nobody has to
//! remember who has done it already, and a node that was away does it when it is back.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rules::id::CaseId;
use tokio::sync::watch;

use super::Inner;
use crate::store::{Batch, Space};
use crate::world::{self, sleep, timeout};

/// How soon what could not be erased is tried again.
const ERASE_AGAIN: Duration = Duration::from_secs(5);
/// How often at most it is looked whether there is something to erase.
const PACE: Duration = Duration::from_millis(100);
/// How long the task sleeps at most before it looks whether its ledger is still there.
const LOOK: Duration = Duration::from_mins(1);

/// The cases whose texts are gone from this node.
#[derive(Debug, Default)]
pub(super) struct Erased(Mutex<BTreeSet<CaseId>>);

impl Erased {
    /// Something came from another node that may hold texts again.
    pub fn look_again(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn lacks(&self, wanted: &BTreeSet<CaseId>) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) != *wanted
    }

    fn is(&self, done: BTreeSet<CaseId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = done;
    }
}

/// There while a snapshot may hold texts that were erased.
const DUE_KEY: &[u8] = b"erased-in-snapshot";

/// Erases what the state says, and again what comes back.
pub(super) async fn keep(ledger: Weak<Inner>, mut applied: watch::Receiver<u64>) {
    loop {
        let Some(inner) = ledger.upgrade() else {
            return;
        };
        applied.borrow_and_update();
        let wanted = inner.machine.read(|state| {
            inner
                .erased
                .lacks(&state.erased)
                .then(|| state.erased.clone())
        });
        let mut wait = PACE;
        if let Some(wanted) = wanted
            && let Err(error) = inner.erase(wanted).await
        {
            tracing::warn!("texts are not erased for now: {error}");
            wait = ERASE_AGAIN;
        }
        drop(inner);
        sleep(wait).await;
        if wait == PACE && matches!(timeout(LOOK, applied.changed()).await, Ok(Err(_))) {
            return;
        }
    }
}

impl Inner {
    /// Takes the texts of these cases out of the archive and their salts out of the records.
    async fn erase(&self, wanted: BTreeSet<CaseId>) -> io::Result<()> {
        // Before it is looked: what comes meanwhile clears it again.
        self.erased.is(wanted.clone());
        let was_due = self.owe_a_snapshot().await;
        let was_due = was_due.inspect_err(|_| self.erased.look_again())?;
        let (archive, audit) = (Arc::clone(&self.archive), Arc::clone(&self.audit));
        let erasing = world::blocking(move || {
            let mut cases = 0_u64;
            for case in &wanted {
                cases += u64::from(archive.erase(*case).map_err(io::Error::other)?);
            }
            cases += archive.erase_posts(&wanted).map_err(io::Error::other)?;
            Ok::<_, io::Error>((cases, audit.erase(&wanted)?))
        });
        let erased = erasing.await.map_err(io::Error::from).flatten();
        let (cases, records) = erased.inspect_err(|_| self.erased.look_again())?;
        if cases > 0 || records > 0 {
            tracing::info!(cases, records, "texts were erased here");
        }
        if cases > 0 || records > 0 || was_due {
            // The log and the snapshot before hold them still.
            self.snapshot()
                .await
                .inspect_err(|_| self.erased.look_again())?;
        }
        let mut batch = Batch::default();
        batch.delete(Space::Meta, DUE_KEY);
        let settled = self.store.commit(batch).await;
        settled.map_err(io::Error::other)
    }

    /// Notes that texts may go that a snapshot holds still, for who finds them gone after a death or a
    /// snapshot that failed; says whether it was noted before.
    async fn owe_a_snapshot(&self) -> io::Result<bool> {
        let store = self.store.clone();
        let due = world::blocking(move || store.get(Space::Meta, DUE_KEY)).await?;
        if due.map_err(io::Error::other)?.is_some() {
            return Ok(true);
        }
        let mut batch = Batch::default();
        batch.put(Space::Meta, DUE_KEY, Vec::new());
        let noted = self.store.commit(batch).await;
        noted.map(|()| false).map_err(io::Error::other)
    }
}
