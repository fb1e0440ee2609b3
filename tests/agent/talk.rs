//! Talking: what others say to the agent while it runs, and what it says to them.

use std::fs;
use std::path::{Path, PathBuf};

use super::deed::{AWAIT_STEP, append};

/// Waits until so many messages are there.
pub fn hear(input: &Path, count: usize) -> Vec<String> {
    loop {
        let heard = messages(input);
        if heard.len() >= count {
            return heard;
        }
        std::thread::sleep(AWAIT_STEP);
    }
}

/// Says the same in answer to each message, for ever.
pub fn answer(input: &Path, output: &Path, text: &str) -> Result<(), String> {
    let mut answered = 0;
    loop {
        let heard = messages(input).len();
        for _ in answered..heard {
            append(&output.join("say.log"), &format!("{text}\n"))?;
        }
        answered = heard;
        std::thread::sleep(AWAIT_STEP);
    }
}

fn messages(input: &Path) -> Vec<String> {
    let folder = fs::read_dir(input.join("messages"));
    let paths = folder.into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = paths
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    paths.sort();
    let texts = paths.iter();
    texts
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect()
}
