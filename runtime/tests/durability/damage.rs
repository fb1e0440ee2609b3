//! Damage anywhere in a ledger's files is found or does no harm: never a wrong answer.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use runtime::ledger::{Ledger, OpenError, StoreKind};

use crate::child::{self, Task};
use crate::image;
use crate::kill;
use crate::long::Long;
use crate::model::Dice;

/// Damages of each engine and way to end in a landing.
const SLICE: u64 = 25;
/// Cases of the ledger that is damaged.
const CASES: u64 = 260;
/// A damaged ledger opens, or is refused, in some milliseconds.
const OPEN_LIMIT: Duration = Duration::from_mins(1);
/// What each frame of the journal begins with, at a multiple of eight.
const FRAME: &[u8] = b"dfrm";

/// How the ledger that is damaged came to its end.
#[derive(Clone, Copy, Debug)]
enum End {
    Closed,
    Killed,
}

/// Makes a ledger with closed cases and a log; with many, it has a snapshot too.
pub async fn fill(dir: &Path, kind: StoreKind, cases: u64) -> Ledger {
    let (ledger, _changes) = Ledger::open(kill::options(dir, kind)).await.unwrap();
    ledger.init_single().await.unwrap();
    for number in 0..cases {
        let verdict = ledger.propose(kill::opening(number)).await.unwrap();
        if let Ok(rules::Outcome::Opened(case)) = verdict
            && number.is_multiple_of(3)
        {
            kill::close_case(&ledger, case).await.unwrap();
        }
    }
    ledger
}

/// The child's task: makes a ledger and dies with it.
pub fn make(dir: &Path, kind: StoreKind) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ledger = runtime.block_on(fill(dir, kind, CASES));
    println!("holds {}", look(&ledger).unwrap());
    std::process::exit(0);
}

/// What a ledger holds, or why it does not say.
fn look(ledger: &Ledger) -> Result<String, String> {
    let state = ledger.read(|state| format!("{:?} {:?}", state.cases, state.requests));
    let archive = ledger.archive();
    let mut closed = Vec::new();
    for (id, title) in kill::all_closed(ledger) {
        let case = archive.case(id).map_err(|error| error.to_string())?;
        closed.push(format!("{title} {case:?}"));
    }
    let vote = ledger.status().term;
    let archive = format!("{:08x} {}", crc(&closed.concat()), archive.count());
    Ok(format!(
        "term above {}, state {:08x}, archive {archive}",
        vote > 1,
        crc(&state)
    ))
}

fn crc(text: &str) -> u32 {
    runtime::codec::checksum(&[text.as_bytes()])
}

/// A file of the ledger that is damaged.
struct Kept {
    name: PathBuf,
    bytes: Vec<u8>,
}

/// All files of a folder.
fn files(dir: &Path) -> Vec<Kept> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            found.push(Kept {
                name: path.strip_prefix(dir).unwrap().to_owned(),
                bytes: fs::read(path).unwrap(),
            });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// Writes the files; of one whose end is empty room only its length.
fn write(files: &[Kept], dir: &Path, harmed: Option<(usize, &[u8])>) {
    for (number, file) in files.iter().enumerate() {
        let path = dir.join(&file.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes = match harmed {
            Some((at, bytes)) if at == number => bytes,
            _ => &file.bytes,
        };
        let made = fs::File::create(&path).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&made, &bytes[..written(bytes)], 0).unwrap();
        made.set_len(bytes.len() as u64).unwrap();
    }
}

/// Where what was written to a file ends, and its empty room begins.
fn written(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|byte| *byte != 0);
    last.map_or(0, |last| last + 1)
}

/// Changes one of the files; says which, how, and to what.
fn harm(files: &[Kept], end: End, dice: &mut Dice) -> (usize, Vec<u8>, String) {
    loop {
        let which = dice.place(files.len());
        let file = &files[which];
        if file.bytes.is_empty() {
            continue;
        }
        let mut bytes = file.bytes.clone();
        let at = dice.place(written(&bytes).max(1));
        let (range, how) = match dice.below(4) {
            0 => {
                bytes.truncate(at);
                (at..file.bytes.len(), format!("ends at {at}"))
            }
            1 => {
                let until = bytes.len().min(at + 1 + dice.place(600));
                bytes[at..until].fill(0);
                (at..until, format!("is zero from {at} to {until}"))
            }
            _ => {
                let bit = dice.below(8);
                bytes[at] ^= 1 << bit;
                (at..at + 1, format!("has bit {bit} of byte {at} flipped"))
            }
        };
        if !is_like_a_torn_write(file, &range, end) {
            return (which, bytes, format!("{} {how}", file.name.display()));
        }
    }
}

/// After a death the last frames of the journal may be torn: nobody can tell that from damage.
fn is_like_a_torn_write(file: &Kept, harmed: &Range<usize>, end: End) -> bool {
    let is_whole = harmed.end < file.bytes.len();
    let is_journal = file.name.to_string_lossy().contains("journal");
    if matches!(end, End::Closed) || !is_journal || !is_whole {
        return false;
    }
    let mut frames = (0..file.bytes.len()).step_by(8).rev();
    let last = frames.find(|at| file.bytes[*at..].starts_with(FRAME));
    last.is_some_and(|last| harmed.end > last)
}

/// What a ledger with these files holds, or why it is refused; it must say it in time.
async fn told(dir: &Path, kind: StoreKind, what: &str) -> Result<String, String> {
    let opening = Ledger::open(kill::options(dir, kind));
    let Ok(opened) = tokio::time::timeout(OPEN_LIMIT, opening).await else {
        // What hangs would keep this test from ending.
        println!("{what}: neither opened nor refused");
        std::process::exit(1);
    };
    let ledger = match opened {
        Ok((ledger, _changes)) => ledger,
        Err(OpenError::Damaged { place, advice }) => {
            assert!(!place.is_empty() && advice.contains("restore"), "{what}");
            return Err(place);
        }
        Err(other) => panic!("{what}: {other:?}"),
    };
    let told = look(&ledger);
    ledger.close().await;
    told
}

async fn damage(kind: StoreKind, end: End) {
    let name = format!("damaged-{}-{end:?}", child::name(kind));
    let dir = tempfile::tempdir().unwrap();
    let expected = match end {
        End::Closed => {
            let ledger = fill(dir.path(), kind, CASES).await;
            let expected = look(&ledger).unwrap();
            ledger.close().await;
            expected
        }
        End::Killed => {
            let task = Task {
                role: "make",
                dir: dir.path().to_owned(),
                kind,
                seed: 0,
                count: 0,
            };
            let output = task.command(&[]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let holds = said.lines().find_map(|line| line.strip_prefix("holds "));
            holds.unwrap_or_else(|| panic!("{said}")).to_owned()
        }
    };
    let whole = files(dir.path());
    // A start is a term of its own.
    let expected = expected.replace("above false", "above true");
    let (mut refused, tries) = (0, Long::of(&name, SLICE));
    let count = tries.all();
    for mut one in tries {
        let image = image::folder();
        let (which, bytes, how) = harm(&whole, end, &mut one.dice);
        let what = format!("{name}, damage {}: {how}", one.number);
        write(&whole, image.path(), Some((which, &bytes)));
        match told(image.path(), kind, &what).await {
            Ok(found) => assert_eq!(found, expected, "{what}"),
            Err(_) => refused += 1,
        }
    }
    println!("{name}: {refused} of {count} refused");
    assert!(refused > 0, "no damage was found in {count}");
}

#[tokio::test]
async fn damage_of_a_closed_ledger_on_sled_gives_no_wrong_answer() {
    damage(StoreKind::Sled, End::Closed).await;
}

#[tokio::test]
async fn damage_of_a_closed_ledger_on_redb_gives_no_wrong_answer() {
    damage(StoreKind::Redb, End::Closed).await;
}

#[tokio::test]
async fn damage_of_a_killed_ledger_on_sled_gives_no_wrong_answer() {
    damage(StoreKind::Sled, End::Killed).await;
}

#[tokio::test]
async fn damage_of_a_killed_ledger_on_redb_gives_no_wrong_answer() {
    damage(StoreKind::Redb, End::Killed).await;
}
