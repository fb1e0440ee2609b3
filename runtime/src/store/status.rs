//! Whether the disk takes what is written, as both halves of the store find it.
//!
//! # Invariant
//! It takes writes only where neither half is refused: what one half writes again says nothing of the
//! other.

use super::StoreError;
use super::handle::{Shared, locked};
use crate::clock::{self, WallMs};

/// Whether the disk takes what is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageStatus {
    /// It does.
    Ok,
    /// It does not; writing goes on by itself once it does.
    Refusing {
        /// What it answered.
        why: String,
        /// Since when, for display.
        since: WallMs,
    },
}

/// A half of the store: each writes on its own, and may be refused alone.
#[derive(Clone, Copy, Debug)]
pub(super) enum Half {
    /// What is handed over goes there first.
    Journal,
    /// What is read comes from there.
    Engine,
}

impl Shared {
    pub fn refusal(&self) -> StoreError {
        match &*self.status.borrow() {
            StorageStatus::Ok => StoreError::Closed,
            StorageStatus::Refusing { why, .. } => StoreError::Refusing { why: why.clone() },
        }
    }

    /// Says that the disk refuses what one half writes, and why.
    pub fn refuse(&self, half: Half, why: String) {
        self.now(half, Some(why));
    }

    /// Says that the disk takes what one half writes again.
    pub fn resume(&self, half: Half) {
        self.now(half, None);
    }

    fn now(&self, half: Half, refusal: Option<String>) {
        // Held until it is told: what is told last is how it is.
        let mut refusals = locked(&self.refusals);
        refusals[half as usize] = refusal;
        match refusals.iter().flatten().next() {
            Some(why) => self.tell_refusal(why),
            None => self.tell_resumed(),
        }
    }

    fn tell_refusal(&self, why: &str) {
        self.status.send_if_modified(|status| {
            let since = match status {
                StorageStatus::Refusing { why: old, .. } if old == why => return false,
                StorageStatus::Refusing { since, .. } => *since,
                StorageStatus::Ok => clock::wall(),
            };
            tracing::error!("the ledger's store takes no writes: {why}");
            *status = StorageStatus::Refusing {
                why: why.to_owned(),
                since,
            };
            true
        });
    }

    fn tell_resumed(&self) {
        self.status.send_if_modified(|status| {
            let was_ok = *status == StorageStatus::Ok;
            if !was_ok {
                tracing::info!("the ledger's store takes writes again");
            }
            *status = StorageStatus::Ok;
            !was_ok
        });
    }
}
