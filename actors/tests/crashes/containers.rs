//! Containers of epochs that are over: none is left running, whatever else goes on.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rules::Command;
use rules::id::{AttemptId, CaseId, Epoch};
use runtime::workshop::Bench;

use crate::house::{Home, Quick, crew, open};

/// Whose container an attempt runs in.
fn bench_of(home: &Home, attempt: AttemptId) -> Bench {
    home.ledger.read(|state| {
        let found = &state.cases[&attempt.case].attempts[&attempt.number];
        Bench {
            worker: found.worker.clone(),
            epoch: found.epoch,
        }
    })
}

fn runs(home: &Home, case: CaseId) -> BTreeSet<AttemptId> {
    let running = home.workshop.running.lock().unwrap();
    running
        .iter()
        .copied()
        .filter(|attempt| attempt.case == case)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_workers_container_is_laid_to_rest_while_its_successor_is_at_work() {
    let home = open(Quick {
        holds: AtomicBool::new(true),
        ..Quick::default()
    })
    .await;
    crew(&home, true).await;
    let case = home.submit().await;
    home.wait("its first stage to run", |home| {
        !runs(home, case).is_empty()
    })
    .await;
    let first = *runs(&home, case).first().unwrap();
    let old = bench_of(&home, first);
    let replace = Command::ReplaceWorker {
        worker: old.worker.clone(),
        reason: "it looks odd".to_owned(),
    };
    home.sam(replace).await.unwrap();
    home.wait("its old container to rest while its stage runs", |home| {
        let is_resting = home.workshop.rested.lock().unwrap().contains(&old);
        let again = runs(home, case);
        is_resting && again.iter().any(|attempt| *attempt != first)
    })
    .await;
    home.workshop.holds.store(false, Ordering::Relaxed);
    home.closed(case).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_that_cannot_be_removed_keeps_no_other_from_being_removed() {
    let bench = |epoch| Bench {
        worker: "crew/gone".parse().unwrap(),
        epoch: Epoch(epoch),
    };
    let all = BTreeSet::from([bench(1), bench(2), bench(3)]);
    let home = open(Quick {
        there: Mutex::new(all),
        stubborn: BTreeSet::from([bench(1)]),
        ..Quick::default()
    })
    .await;
    home.wait("the others to be gone", |home| {
        *home.workshop.there.lock().unwrap() == BTreeSet::from([bench(1)])
    })
    .await;
}
