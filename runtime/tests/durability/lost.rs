//! An engine that lost a part of what it held, or has a part of it back, is found out at opening.
//!
//! What damage does to an engine's file is done here through the store itself: a part goes, while
//! everything around it is whole.

use std::path::Path;

use runtime::ledger::{Ledger, OpenError, StoreKind};
use runtime::store::{Batch, Order, Space, Store};

use crate::child;
use crate::damage;
use crate::kill;

/// Cases of the ledger: fewer than lead to a snapshot.
const CASES: u64 = 30;

/// What opening a ledger says whose store was changed.
async fn refused_after(kind: StoreKind, change: impl FnOnce(&Store, &mut Batch)) -> String {
    let dir = tempfile::tempdir().unwrap();
    damage::fill(dir.path(), kind, CASES).await.close().await;
    change_store(dir.path(), kind, change);
    let opened = Ledger::open(kill::options(dir.path(), kind)).await;
    let error = opened.map(drop).unwrap_err();
    let OpenError::Damaged { place, advice } = error else {
        panic!("{}: {error}", child::name(kind));
    };
    assert!(advice.contains("restore"), "{advice}");
    place
}

fn change_store(dir: &Path, kind: StoreKind, change: impl FnOnce(&Store, &mut Batch)) {
    let store = Store::open(&child::options(&dir.join("store"), kind)).unwrap();
    let mut batch = Batch::default();
    change(&store, &mut batch);
    store.submit(batch, |_| ()).unwrap();
    store.close();
}

fn keys(store: &Store, space: Space) -> Vec<Vec<u8>> {
    let pairs = store.range(space, &[], None, Order::Ascending, usize::MAX);
    pairs.unwrap().into_iter().map(|(key, _)| key).collect()
}

#[tokio::test]
async fn a_log_that_lost_its_end_is_refused() {
    for kind in [StoreKind::Sled, StoreKind::Redb] {
        for lost in [1, 7, usize::MAX] {
            let said = refused_after(kind, |store, batch| {
                for key in keys(store, Space::Log).into_iter().rev().take(lost) {
                    batch.delete(Space::Log, key);
                }
            });
            let said = said.await;
            assert!(said.contains("the log ends"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_log_that_lost_its_beginning_or_its_middle_is_refused() {
    for kind in [StoreKind::Sled, StoreKind::Redb] {
        for at in [0, 5] {
            let said = refused_after(kind, |store, batch| {
                batch.delete(Space::Log, keys(store, Space::Log)[at].clone());
            });
            let said = said.await;
            assert!(said.contains("is missing"), "{said}");
        }
    }
}

#[tokio::test]
async fn an_archive_that_lost_a_case_is_refused() {
    for kind in [StoreKind::Sled, StoreKind::Redb] {
        let said = refused_after(kind, |store, batch| {
            batch.delete(Space::Summary, keys(store, Space::Summary)[3].clone());
        });
        let said = said.await;
        assert!(said.contains("must hold 10 closed cases"), "{said}");
    }
}
