//! What is parsed from outside, under bytes that nobody meant: those that are kept, and new ones that
//! are made of them.
//!
//! # Why
//! Targets and corpora are shared with `tests/fuzz/run`, which looks for new inputs guided by coverage
//! and takes hours; here each target is seen to hold on every landing, without another compiler's help.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::{Dice, Tries, root, scale};
use runtime::clock;

#[path = "fuzz/targets/mod.rs"]
mod targets;

use targets::{TARGETS, Target};

/// Inputs that are made of the kept ones, for each target and scale: all of them take some seconds.
const MADE: usize = 150;
/// The longest an input may take: a daemon that parses it holds a thread up for so long.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// The largest input that is made.
const MOST_BYTES: usize = 64 * 1024;

/// The kept inputs of a target.
fn kept(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = root().join("tests/fuzz/corpus").join(target.name);
    let entries = fs::read_dir(&folder).expect("each target has a folder of kept inputs");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).expect("it can be read");
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}

/// Puts an input to a target; one that fails is kept where the message says.
fn put(target: &Target, what: &str, bytes: &[u8]) {
    let began = clock::boot();
    let is_held = catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_ok();
    let took = clock::boot().since(began);
    if is_held && took <= TIME_LIMIT {
        return;
    }
    let path = std::env::temp_dir().join(format!("fuzz-{}-{}", target.name, std::process::id()));
    fs::write(&path, bytes).expect("the input can be kept");
    panic!(
        "{}: {what} failed or took {took:?}; it is kept as {}: put it into {}",
        target.name,
        path.display(),
        Path::new("tests/fuzz/corpus").join(target.name).display()
    );
}

/// An input like a kept one: some of it changed, cut, doubled, or taken from another.
fn made(dice: &mut Dice, kept: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    let (_, first) = dice.choose(kept);
    let mut bytes = first.clone();
    for _ in 0..dice.between(1, 6) {
        let at = dice.below(bytes.len() + 1);
        let end = at + dice.below((bytes.len() - at + 1).min(64));
        match dice.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => {
                bytes.drain(at..end);
            }
            2 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            3 => {
                let (_, other) = dice.choose(kept);
                let from = dice.below(other.len() + 1);
                let part = other[from..].iter().copied().take(256);
                bytes.splice(at..end, part);
            }
            4 => {
                let odd: [&[u8]; 8] = [
                    b"\0",
                    b"\xff\xff\xff\xff",
                    b"-1",
                    b"18446744073709551616",
                    b"\"",
                    b"[[[[[[[[",
                    b"\xe2\x80\xae",
                    b"\n- ",
                ];
                bytes.splice(at..at, dice.choose(&odd).iter().copied());
            }
            _ => bytes.truncate(end),
        }
        bytes.truncate(MOST_BYTES);
    }
    bytes
}

#[test]
fn what_was_once_too_much_is_taken_now_by_every_target() {
    assert!(TARGETS.len() >= 6);
    for target in &TARGETS {
        let kept = kept(target);
        assert!(!kept.is_empty(), "{} has no kept inputs", target.name);
        for (path, bytes) in &kept {
            put(target, &path.display().to_string(), bytes);
        }
    }
}

#[test]
fn bytes_that_nobody_meant_are_refused_in_words_and_in_time() {
    for target in &TARGETS {
        let kept = kept(target);
        for seed in Tries::of(&format!("fuzz-{}", target.name), scale(MADE)) {
            let bytes = made(&mut Dice::new(seed as u64), &kept);
            put(target, &format!("what seed {seed} makes"), &bytes);
        }
    }
}
