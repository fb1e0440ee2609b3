//! A leader whose disk takes no writes steps aside: it refuses everybody, and the others' disks do not.
//!
//! # Why
//! Consensus itself would let it lead for ever: its heartbeats need no disk, and entries are
//! committed by the others' disks. But it answers nothing that its own has not, so all would wait
//! for one disk of many.

use std::sync::Weak;
use std::time::Duration;

use super::{Inner, StorageStatus};
use crate::world::timeout;

/// A disk that is back sooner costs less than another leader.
const PATIENCE: Duration = Duration::from_secs(1);

/// Hands leadership over while the disk refuses; ends with the ledger.
pub(super) async fn step_aside(ledger: Weak<Inner>) {
    let Some(mut storage) = ledger.upgrade().map(|inner| inner.store.status()) else {
        return;
    };
    loop {
        let refuses = storage.wait_for(|status| *status != StorageStatus::Ok);
        if refuses.await.is_err() {
            return;
        }
        let is_back = storage.wait_for(|status| *status == StorageStatus::Ok);
        match timeout(PATIENCE, is_back).await {
            Ok(Ok(_)) => continue,
            Ok(Err(_)) => return,
            Err(_) => {}
        }
        let Some(inner) = ledger.upgrade() else {
            return;
        };
        if inner.is_leader() {
            match inner.hand_over(None).await {
                Ok(()) => tracing::warn!("the disk takes no writes: another node is to lead"),
                Err(error) => tracing::debug!("nobody else can lead: {error}"),
            }
        }
    }
}
