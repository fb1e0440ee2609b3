//! Damage anywhere in a ledger's files is found or does no harm: never a wrong answer.
//!
//! `DOMO_DAMAGES` says how many; a landing takes a slice.
//!
//! # Known
//! On redb only. sled skips the rest of a segment in which one bit was flipped after a clean close,
//! and the ledger above it does not notice yet that the tail of its log is gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use runtime::ledger::{Ledger, StoreKind};

use crate::child::{self, Task};
use crate::image;
use crate::kill;
use crate::model::Dice;

/// Damages of each engine where nobody asks for more.
const SLICE: u64 = 25;
/// Cases of the ledger that is damaged.
const CASES: u64 = 260;

/// The child's task: opens a ledger and says what it holds, or why it is refused.
pub fn look(dir: &Path, kind: StoreKind) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let opened = Ledger::open(kill::options(dir, kind)).await;
        let (ledger, _changes) = match opened {
            Ok(opened) => opened,
            Err(error) => return println!("refused: {error}"),
        };
        let state = ledger.read(|state| format!("{:?} {:?}", state.cases, state.requests));
        println!("state {:08x}", crc(&state));
        let mut cases = Vec::new();
        for (id, title) in kill::all_closed(&ledger) {
            match ledger.archive().case(id) {
                Ok(case) => cases.push(format!("{title} {case:?}")),
                Err(error) => return println!("refused: {error}"),
            }
        }
        println!(
            "archive {:08x} {}",
            crc(&cases.concat()),
            ledger.archive().count()
        );
    });
}

fn crc(text: &str) -> u32 {
    runtime::codec::checksum(&[text.as_bytes()])
}

/// A ledger with a snapshot, closed cases and a log; killed, or closed.
async fn make(dir: &Path, kind: StoreKind, is_killed: bool) {
    let (ledger, _changes) = Ledger::open(kill::options(dir, kind)).await.unwrap();
    ledger.init_single().await.unwrap();
    for number in 0..CASES {
        let verdict = ledger.propose(kill::opening(number)).await.unwrap();
        if let Ok(rules::Outcome::Opened(case)) = verdict
            && number.is_multiple_of(3)
        {
            kill::close_case(&ledger, case).await.unwrap();
        }
    }
    if is_killed {
        // The files as they are now: the copy that follows is taken while it still lives.
        copy(dir, &dir.with_extension("killed"));
    }
    ledger.close().await;
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, &target).unwrap();
    }
}

/// What a child says of a ledger; it must say it in time.
fn told(dir: &Path, kind: StoreKind) -> String {
    let task = Task {
        role: "look",
        dir: dir.to_owned(),
        kind,
        seed: 0,
        count: 0,
    };
    let mut command = task.command(&["timeout", "60"]);
    let output = command.stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let lines = said.lines().filter(|line| {
        ["refused", "state", "archive"]
            .iter()
            .any(|word| line.starts_with(word))
    });
    let told = lines.collect::<Vec<_>>().join("\n");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        !told.is_empty(),
        "nothing was said, {}: {errors}",
        output.status
    );
    told
}

/// Changes a file; says how.
fn harm(dir: &Path, dice: &mut Dice) -> String {
    let files = files(dir);
    let file = &files[dice.place(files.len())];
    let name = file.strip_prefix(dir).unwrap().display().to_string();
    let mut bytes = fs::read(file).unwrap();
    if bytes.is_empty() {
        return format!("{name} is empty");
    }
    // Most of a new file is room that nothing was written to yet.
    let written = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(1, |last| last + 1);
    let at = dice.place(written);
    let what = match dice.below(4) {
        0 => {
            bytes.truncate(at);
            format!("{name} ends at {at}")
        }
        1 => {
            let end = bytes.len().min(at + 1 + dice.place(600));
            bytes[at..end].fill(0);
            format!("{name} is zero from {at} to {end}")
        }
        _ => {
            let bit = dice.below(8);
            bytes[at] ^= 1 << bit;
            format!("{name} has bit {bit} of byte {at} flipped")
        }
    };
    fs::write(file, bytes).unwrap();
    what
}

async fn damage(kind: StoreKind, is_killed: bool) {
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("ledger");
    make(&closed, kind, is_killed).await;
    let whole = if is_killed {
        closed.with_extension("killed")
    } else {
        closed
    };
    let asked = std::env::var("DOMO_DAMAGES");
    let count: u64 = asked.map_or(SLICE, |count| count.parse().unwrap());
    let expected = {
        let image = image::folder();
        copy(&whole, image.path());
        told(image.path(), kind)
    };
    assert!(expected.contains("archive"), "{expected}");
    let mut refused = 0;
    for number in 0..count {
        let image = image::folder();
        copy(&whole, image.path());
        let what = harm(image.path(), &mut Dice(number));
        let found = told(image.path(), kind);
        let what = format!("{}, damage {number}: {what}", child::name(kind));
        match found.lines().find(|line| line.starts_with("refused")) {
            Some(line) => {
                refused += 1;
                assert!(line.contains("damaged"), "{what}: {line}");
                assert!(line.contains("restore"), "{what}: {line}");
            }
            None => assert_eq!(found, expected, "{what}"),
        }
    }
    assert!(refused > 0, "no damage was found in {count}");
}

#[tokio::test]
async fn damage_of_a_closed_ledger_on_redb_gives_no_wrong_answer() {
    damage(StoreKind::Redb, false).await;
}
