//! Whoever can write the files changes them in any way: each change is found, at its place.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rules::audit::Recorded;
use tempfile::TempDir;

use super::{RECORDS, Story};
use crate::audit::export;
use crate::audit::line::{self, ERASED, FileHead, hex};
use crate::audit::verify::Known;

/// Tamperings at scale 1; a full run tries ten times as many.
const TAMPERINGS: u64 = 1_000;

/// Of the tamperings with an export one in so many is shown to the independent checker as well: it is
/// a process of its own each time.
const CHECKED_BY_BOTH: u64 = 25;

/// Luck with a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }
}

/// The lines of all files, the first line of each too; what was done to them is seen by their text.
type Files = Vec<(PathBuf, Vec<String>)>;

fn write_all(files: &Files) {
    for (path, lines) in files {
        fs::write(path, lines.concat()).unwrap();
    }
}

/// Tampers with a record or its file; says where it must be found, and how it was done.
fn tamper(files: &mut Files, story: &Story, dice: &mut Dice) -> (u64, &'static str) {
    let record = dice.below(story.records.len());
    let (at, began) = place_of(files, record);
    let line = record - began + 1;
    let number = record as u64 + 1;
    let lines = &mut files[at].1;
    match dice.below(9) {
        0 => {
            lines[line] = edited(&lines[line], dice);
            (number, "edited")
        }
        1 => {
            let forged = forge(story, record);
            lines[line] = line::line(&forged);
            (number, "edited, and its head with it")
        }
        2 => {
            lines.remove(line);
            (number, "deleted")
        }
        3 => {
            let other = line::line(&story.records[dice.below(story.records.len())]);
            lines.insert(line, other);
            (number, "inserted")
        }
        4 => {
            let next = if line + 1 < lines.len() {
                line + 1
            } else {
                line - 1
            };
            lines.swap(line, next);
            let first = if next == 0 {
                began + 1
            } else {
                began + line.min(next)
            };
            (first as u64, "swapped")
        }
        5 => {
            let keep = dice.below(lines[line].len());
            let cut = lines[line].floor_char_boundary(keep);
            lines[line].truncate(cut);
            lines.truncate(line + 1);
            files[at + 1..]
                .iter_mut()
                .for_each(|(_, lines)| lines.clear());
            (number, "truncated within a line")
        }
        6 => {
            lines.truncate(line);
            files[at + 1..]
                .iter_mut()
                .for_each(|(_, lines)| lines.clear());
            (number, "truncated after a line")
        }
        7 => {
            lines[0] = FileHead::line(began as u64 + 1, &[1; 32]);
            (began as u64 + 1, "another head before a file")
        }
        _ => {
            rewrite(files, story, record);
            (number, "replaced from there to the end")
        }
    }
}

/// The file of a record, and how many records come before it.
fn place_of(files: &Files, record: usize) -> (usize, usize) {
    let mut began = 0;
    for (at, (_, lines)) in files.iter().enumerate() {
        let count = lines.len() - 1;
        if record < began + count {
            return (at, began);
        }
        began += count;
    }
    panic!("there is no record {record}")
}

/// The line with another byte somewhere, as text.
fn edited(line: &str, dice: &mut Dice) -> String {
    let mut bytes = line.as_bytes().to_vec();
    let byte = dice.below(bytes.len());
    let other = b" x0\n\""[dice.below(5)];
    bytes[byte] = if other == bytes[byte] {
        other ^ 1
    } else {
        other
    };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A record that was changed, and the head that it then has.
fn forge(story: &Story, record: usize) -> Recorded {
    let mut forged = story.records[record].clone();
    forged.line = forged.line.replace("\"human\":\"", "\"human\":\"x");
    forged.head = rules::audit::head_after(&forged.before, forged.line.as_bytes());
    forged
}

/// Rewrites everything from a record on, so that it all fits together again.
fn rewrite(files: &mut Files, story: &Story, record: usize) {
    let mut before = story.records[record].before;
    let mut number = 0;
    for (_, lines) in files {
        if number > record {
            lines[0] = FileHead::line(number as u64 + 1, &before);
        }
        for line in lines.iter_mut().skip(1) {
            let mut forged = story.records[number].clone();
            if number == record {
                forged = forge(story, record);
            }
            if number >= record {
                forged.before = before;
                forged.head = rules::audit::head_after(&before, forged.line.as_bytes());
                before = forged.head;
                *line = line::line(&forged);
            }
            number += 1;
        }
    }
}

/// How much longer the long form is.
fn scale() -> u64 {
    let scale = std::env::var("DOMO_TEST_SCALE").ok();
    scale.and_then(|scale| scale.parse().ok()).unwrap_or(1)
}

#[test]
fn every_tampering_is_found_at_its_place() {
    let story = Story::of(RECORDS);
    let dir = TempDir::new().unwrap();
    let audit = story.write_to(dir.path());
    audit.flush();
    let whole: Files = audit
        .files()
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file.path).unwrap();
            let lines = text.split_inclusive('\n').map(str::to_owned);
            (file.path, lines.collect())
        })
        .collect();
    // What nodes signed on the way narrows down where a rewriting began.
    let known: Vec<Known> = (1..=story.records.len())
        .map(|at| story.known_at(at))
        .collect();
    let mut kinds = BTreeSet::new();
    for seed in 0..TAMPERINGS * scale() {
        let mut files = whole.clone();
        let (number, how) = tamper(&mut files, &story, &mut Dice(seed));
        kinds.insert(how);
        write_all(&files);
        // The last record with its head is all that there is from there to the end.
        let is_rewritten = how.starts_with("replaced")
            || (how == "edited, and its head with it" && number == RECORDS);
        let some: Vec<Known> = if is_rewritten {
            known
                .iter()
                .filter(|known| known.count % 10 == 0)
                .cloned()
                .collect()
        } else {
            vec![story.known()]
        };
        let verified = audit.verify(&some).unwrap();
        let Some(fault) = verified.fault else {
            panic!("seed {seed}: record {number} was {how}, and nobody saw it");
        };
        // A record whose head was made to fit is seen by the next one; a rewriting, between two heads.
        let place = match how {
            _ if is_rewritten => number.saturating_sub(9)..=number,
            // A copy of the very record that stands there is the second of the two.
            "edited, and its head with it" | "inserted" => number..=number + 1,
            _ => number..=number,
        };
        assert!(
            place.contains(&fault.record),
            "seed {seed}: {how} {number}: {fault:?}"
        );
        assert!(
            fault.file.starts_with(dir.path()),
            "seed {seed}: {how}: {fault:?}"
        );
    }
    assert_eq!(kinds.len(), 9, "{kinds:?}");
    write_all(&whole);
    assert_eq!(audit.verify(&[story.known()]).unwrap().fault, None);
}

/// The salt of a line as an export has it; what was edited there stays.
fn without_salt(line: &str) -> String {
    const SALT: std::ops::Range<usize> = 83..115;
    let is_salt = |salt: &str| salt.bytes().all(|byte| byte.is_ascii_hexdigit());
    match line.get(SALT) {
        Some(salt) if line.starts_with("{\"head\":\"") && is_salt(salt) => {
            [&line[..SALT.start], ERASED, &line[SALT.end..]].concat()
        }
        _ => line.to_owned(),
    }
}

/// The independent checker's words, and the line that it names; none where it is content.
fn checked(path: &Path, known: &Known) -> Option<(String, usize)> {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/audit/verify_export.py"
    );
    let mut python = Command::new("python3");
    python.arg(script).arg(path);
    python.arg(known.count.to_string()).arg(hex(&known.head));
    let said = python.output().expect("python3 can be started");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(
        said.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    let line = text.strip_prefix("line ")?.split(':').next()?.parse();
    assert!(!said.status.success(), "{text}");
    Some((text, line.expect("it names a line")))
}

#[test]
fn every_tampering_with_an_export_is_found_by_two_who_know_nothing_of_each_other() {
    let story = Story::of(RECORDS);
    let dir = TempDir::new().unwrap();
    let audit = story.write_to(dir.path());
    let mut exporting = audit.export(audit.last()).unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = exporting.next_piece().unwrap() {
        bytes.extend(piece);
    }
    let path = dir.path().join("export.jsonl");
    fs::write(&path, &bytes).unwrap();
    let known = story.known();
    assert_eq!(
        export::verify(&path, std::slice::from_ref(&known), &[])
            .unwrap()
            .fault,
        None
    );
    assert_eq!(checked(&path, &known), None);
    let text = String::from_utf8(bytes).unwrap();
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let end = lines.pop().unwrap();
    let whole: Files = vec![(path.clone(), lines)];
    for seed in 0..TAMPERINGS * scale() {
        let mut files = whole.clone();
        let (number, how) = tamper(&mut files, &story, &mut Dice(seed));
        let mut lines: Vec<String> = files[0].1.iter().map(|line| without_salt(line)).collect();
        let last = lines.last().and_then(|line| line.get(9..73));
        match (how, last) {
            ("truncated within a line" | "truncated after a line", _) => {}
            ("replaced from there to the end", Some(head)) => {
                lines.push(format!(
                    "{{\"end\":{{\"count\":{RECORDS},\"head\":\"{head}\"}}}}\n"
                ));
            }
            _ => lines.push(end.clone()),
        }
        fs::write(&path, lines.concat()).unwrap();
        let fault = export::verify(&path, std::slice::from_ref(&known), &[])
            .unwrap()
            .fault;
        let Some(fault) = fault else {
            panic!("seed {seed}: record {number} was {how}, and nobody saw it");
        };
        // A rewriting is only seen by the head that was kept; a forged last record by the end.
        let is_rewritten = how == "replaced from there to the end"
            || (how == "edited, and its head with it" && number == RECORDS);
        let place = if is_rewritten {
            1..=number
        } else {
            number..=number + 1
        };
        assert!(
            place.contains(&fault.record),
            "seed {seed}: {how} {number}: {fault:?}"
        );
        if seed % CHECKED_BY_BOTH == 0 {
            let Some((said, line)) = checked(&path, &known) else {
                panic!("seed {seed}: record {number} was {how}, and the checker did not see it");
            };
            let first = usize::try_from(number).unwrap();
            let is_there = is_rewritten || (first..=first + 2).contains(&line);
            assert!(is_there, "seed {seed}: {how} {number}: {said}");
        }
    }
}
