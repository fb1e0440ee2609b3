//! A disk that is full, fails or is late: nothing is answered that is not durable, and it goes on by
//! itself once the disk does.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rules::Outcome;
use runtime::clock::Deadline;
use runtime::ledger::{Ledger, Limits, OpenOptions, ProposeError, StorageStatus, StoreKind};
use runtime::store::Store;

use crate::child::{self, Task};
use crate::kill;
use crate::model::{self, Model};
use crate::trace;

/// How long a disk's recovery may take to be noticed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Opens a case of that number; gives whether it was answered, and how it was refused.
async fn open_case(ledger: &Ledger, number: u64) -> Result<(), ProposeError> {
    let verdict = ledger.propose(kill::opening(number)).await?;
    assert!(matches!(verdict, Ok(Outcome::Opened(_))), "{verdict:?}");
    Ok(())
}

/// Fills a disk to its last byte.
fn fill(file: &Path) {
    use std::io::Write as _;
    let mut filler = fs::File::create(file).unwrap();
    for bytes in [1 << 20, 4096, 1] {
        while filler.write_all(&vec![1; bytes]).is_ok() {}
    }
}

/// A ledger that says soon when it is refused.
pub fn small(dir: &Path, kind: StoreKind, free_bytes: u64) -> OpenOptions {
    let limits = Limits {
        free_bytes,
        propose_ms: 1000,
        ..Limits::default()
    };
    OpenOptions {
        limits,
        ..kill::options(&dir.join("ledger"), kind)
    }
}

/// The child's task, on a small disk of its own: fills it, is refused, makes room, and goes on.
pub fn run_full(dir: &Path, kind: StoreKind, free_bytes: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = small(dir, kind, free_bytes);
        let (ledger, _changes) = Ledger::open(options.clone()).await.unwrap();
        ledger.init_single().await.unwrap();
        let mut answered = Vec::new();
        let mut next = 0;
        for round in 0..3 {
            for _ in 0..200 {
                open_case(&ledger, next).await.unwrap();
                answered.push(next);
                next += 1;
            }
            let filler = dir.join("filler");
            fill(&filler);
            let deadline = Deadline::after(PATIENCE);
            let refused = loop {
                match open_case(&ledger, next).await {
                    Ok(()) => answered.push(next),
                    Err(ProposeError::Unknown) => {}
                    Err(error) => break error,
                }
                next += 1;
                assert!(!deadline.is_over(), "a full disk takes everything");
            };
            let is_clear = matches!(
                refused,
                ProposeError::DiskFull { .. } | ProposeError::ReadOnly { .. }
            );
            assert!(is_clear, "{refused}");
            println!("round {round}: {refused}");
            assert!(ledger.snapshot().await.is_err() || free_bytes > 0);
            assert!(ledger.read(|state| state.cases.len()) >= answered.len());
            fs::remove_file(&filler).unwrap();
            let deadline = Deadline::after(PATIENCE);
            while open_case(&ledger, next).await.is_err() {
                assert!(!deadline.is_over(), "still {:?}", ledger.status().storage);
                tokio::task::yield_now().await;
            }
            answered.push(next);
            next += 1;
            assert_eq!(ledger.status().storage, StorageStatus::Ok);
        }
        ledger.snapshot().await.unwrap();
        ledger.close().await;
        let (ledger, _changes) = Ledger::open(options).await.unwrap();
        let titles: std::collections::BTreeSet<String> = ledger.read(|state| {
            state
                .cases
                .values()
                .map(|case| case.title.clone())
                .collect()
        });
        for number in &answered {
            assert!(
                titles.contains(&format!("case {number}")),
                "case {number} was answered"
            );
        }
        ledger.close().await;
        println!("kept {}", answered.len());
    });
}

fn full(kind: StoreKind, free_bytes: u64) {
    let dir = tempfile::tempdir().unwrap();
    let task = Task {
        role: "full",
        dir: dir.path().to_owned(),
        kind,
        seed: 0,
        count: free_bytes,
    };
    // A small disk that only the child sees; it goes away with it.
    let mount = "mount -t tmpfs -o size=64m none \"$1\" && shift && exec \"$@\"";
    let place = dir.path().to_str().unwrap();
    let before = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        mount,
        "sh",
        place,
    ];
    let output = task.command(&before).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("kept "), "{}: {said}{errors}", output.status);
}

#[test]
fn a_ledger_on_sled_refuses_on_a_full_disk_and_goes_on_when_there_is_room() {
    full(StoreKind::Sled, 0);
}

#[test]
fn a_ledger_on_redb_refuses_on_a_full_disk_and_goes_on_when_there_is_room() {
    full(StoreKind::Redb, 0);
}

#[test]
fn a_disk_that_is_nearly_full_is_left_alone() {
    full(StoreKind::Sled, 8 << 20);
}

/// Runs a writer some of whose calls on one file fail; it must come to its end with all it wrote.
fn failing(kind: StoreKind, file: &str, call: &str, fault: &str) {
    trace::demand_tracer();
    let dir = tempfile::tempdir().unwrap();
    let task = Task {
        role: "store",
        dir: dir.path().to_owned(),
        kind,
        seed: 3,
        count: 400,
    };
    let path = dir.path().join(file);
    let trace = dir.path().join("trace");
    let (traced, injected) = (format!("trace={call}"), format!("inject={call}:{fault}"));
    let [path, into] = [&path, &trace].map(|path| path.to_str().unwrap());
    let before = [
        "timeout", "100", "strace", "-f", "-P", path, "-o", into, "-e", &traced, "-e", &injected,
    ];
    let output = task
        .command(&before)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let what = format!("{file} with {call} {fault}: {}", output.status);
    let traced = fs::read_to_string(&trace).unwrap();
    let is_hit = traced.contains("(INJECTED)") || traced.contains("(DELAYED)");
    assert!(is_hit, "{what}: no call failed");
    assert!(said.contains("answered 400"), "{what}: {errors}");
    let store = Store::open(&child::options(dir.path(), kind)).unwrap();
    assert_eq!(model::count(&store), 400, "{what}");
    assert!(Model::new(3).is_held_by(&store, 400), "{what}");
    store.close();
}

const BOTH: [StoreKind; 2] = [StoreKind::Sled, StoreKind::Redb];

#[test]
fn an_fdatasync_of_the_journal_that_fails_is_never_trusted_again() {
    for kind in BOTH {
        failing(kind, "journal.a", "fdatasync", "error=EIO:when=20..22");
    }
}

#[test]
fn an_fdatasync_of_sleds_file_that_fails_is_never_trusted_again() {
    failing(
        StoreKind::Sled,
        "sled/db",
        "fdatasync",
        "error=EIO:when=3..5",
    );
}

#[test]
fn a_sled_whose_disk_refuses_while_it_is_closed_is_opened_again() {
    // sled itself syncs by fsync, and panics when it is dropped and that fails.
    failing(
        StoreKind::Sled,
        "sled/db",
        "fsync,fdatasync",
        "error=EIO:when=3..6",
    );
}

#[test]
fn an_fdatasync_of_redbs_file_that_fails_is_never_trusted_again() {
    failing(StoreKind::Redb, "redb", "fdatasync", "error=EIO:when=3..5");
}

#[test]
fn a_write_to_the_journal_that_fails_is_made_again_in_a_new_file() {
    for fault in [
        "error=EIO:when=30",
        "error=ENOSPC:when=25..28",
        "error=EROFS:when=9",
    ] {
        for kind in BOTH {
            failing(kind, "journal.a", "pwrite64", fault);
        }
    }
}

#[test]
fn a_write_that_poisons_sled_is_made_again_by_a_new_one() {
    // Calls are counted by thread: the one that opens sled again makes fewer than these.
    for fault in ["error=EIO:when=6", "error=ENOSPC:when=6..7"] {
        failing(StoreKind::Sled, "sled/db", "pwrite64", fault);
    }
}

#[test]
fn a_write_that_stops_redb_is_made_again_by_a_new_one() {
    for fault in ["error=EIO:when=3", "error=ENOSPC:when=2..4"] {
        failing(StoreKind::Redb, "redb", "pwrite64", fault);
    }
}

#[test]
fn a_disk_that_is_late_only_takes_longer() {
    let late = "delay_enter=200000:when=20+20";
    for kind in BOTH {
        failing(kind, "journal.a", "fdatasync", late);
    }
}

#[test]
fn an_engine_whose_file_is_late_only_takes_longer() {
    for (kind, file) in [(StoreKind::Sled, "sled/db"), (StoreKind::Redb, "redb")] {
        failing(kind, file, "fdatasync", "delay_enter=200000:when=2+1");
    }
}
