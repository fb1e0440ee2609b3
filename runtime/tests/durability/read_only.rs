//! A disk that the kernel makes read-only: nothing is answered any more, all can be read, and
//! nothing that was answered is lost once it is mounted again.
//!
//! # Why
//! A file system on which a node has files open cannot be made read-only by hand: the kernel calls it
//! busy. It does it by itself after an error, which is what `abort` stands for; such a file system
//! takes no writes before it was checked and mounted anew, so nobody can go on without a restart.
//! Where the refusal passes by itself, going on by itself is tried beside `faults`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use rules::Outcome;
use runtime::clock::Deadline;
use runtime::ledger::{Ledger, ProposeError, StorageStatus, StoreKind};

use crate::child::Task;
use crate::faults;
use crate::kill;

/// Room for the journal and some thousand entries.
const DISK_BYTES: u64 = 96 << 20;
/// Cases that are opened before the disk is lost.
const CASES: u64 = 150;
/// How long the refusal may take to be named.
const PATIENCE: Duration = Duration::from_secs(30);

/// The child's task, on a disk of its own: loses the disk, is refused, and reads on.
pub fn run_lost(dir: &Path, kind: StoreKind) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let opened = Ledger::open(faults::small(dir, kind, 0)).await;
        let (ledger, _changes) = opened.unwrap();
        ledger.init_single().await.unwrap();
        for number in 0..CASES {
            let verdict = ledger.propose(kill::opening(number)).await.unwrap();
            assert!(matches!(verdict, Ok(Outcome::Opened(_))), "{verdict:?}");
        }
        run("mount", &["-o", "remount,abort", dir.to_str().unwrap()]);
        let deadline = Deadline::after(PATIENCE);
        let mut number = CASES;
        let why = loop {
            match ledger.propose(kill::opening(number)).await {
                Ok(verdict) => panic!("answered without a disk: {verdict:?}"),
                Err(ProposeError::ReadOnly { why }) if why.contains("read-only") => break why,
                Err(error) => assert!(!deadline.is_over(), "still {error}"),
            }
            number += 1;
        };
        let StorageStatus::Refusing { .. } = ledger.status().storage else {
            panic!("the status calls a lost disk well");
        };
        assert_eq!(ledger.read(|state| state.cases.len() as u64), CASES);
        ledger.close().await;
        println!("refused: {why}");
    });
}

/// The child's task, on the same disk mounted again: finds what was answered, and goes on.
pub fn run_found(dir: &Path, kind: StoreKind) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let opened = Ledger::open(faults::small(dir, kind, 0)).await;
        let (ledger, _changes) = opened.unwrap();
        let found = ledger.read(|state| {
            let titles = state.cases.values().map(|case| case.title.clone());
            titles.collect::<Vec<_>>()
        });
        for number in 0..CASES {
            assert!(
                found.contains(&format!("case {number}")),
                "case {number} was answered"
            );
        }
        let verdict = ledger.propose(kill::opening(1_000_000)).await.unwrap();
        assert!(verdict.is_ok());
        ledger.close().await;
        println!("found {}", found.len());
    });
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code().is_some_and(|code| code <= 1),
        "{program} {arguments:?}: {errors}"
    );
}

/// Runs a child with the image mounted where only it sees it; it goes away with the child.
fn on_disk(role: &'static str, image: &Path, at: &Path, kind: StoreKind) -> Output {
    let task = Task {
        role,
        dir: at.to_owned(),
        kind,
        seed: 0,
        count: 0,
    };
    let mount = "mount -o loop \"$1\" \"$2\" && shift 2 && exec \"$@\"";
    let [image, at] = [image, at].map(|path| path.to_str().unwrap());
    let before = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        mount,
        "sh",
        image,
        at,
    ];
    task.command(&before).output().unwrap()
}

fn lose(kind: StoreKind) {
    let dir = tempfile::tempdir().unwrap();
    let (image, at) = (dir.path().join("image"), dir.path().join("disk"));
    fs::create_dir(&at).unwrap();
    let file = fs::File::create(&image).unwrap();
    file.set_len(DISK_BYTES).unwrap();
    run("mkfs.ext4", &["-q", image.to_str().unwrap()]);
    let told = |output: &Output| {
        let said = String::from_utf8_lossy(&output.stdout);
        format!(
            "{}: {said}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
    };
    let lost = told(&on_disk("lost-disk", &image, &at, kind));
    assert!(lost.contains("refused: the disk is read-only"), "{lost}");
    run("e2fsck", &["-fp", image.to_str().unwrap()]);
    let found = told(&on_disk("found-disk", &image, &at, kind));
    assert!(found.contains("found "), "{found}");
}

#[test]
fn a_ledger_on_sled_whose_disk_becomes_read_only_refuses_and_loses_nothing() {
    lose(StoreKind::Sled);
}

#[test]
fn a_ledger_on_redb_whose_disk_becomes_read_only_refuses_and_loses_nothing() {
    lose(StoreKind::Redb);
}
