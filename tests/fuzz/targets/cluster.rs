//! A recorded cluster, as the example's agents are given one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use agent::contract::Progress;
use tempfile::TempDir;

/// Where an attempt's folder is laid out once; the recording in it changes.
fn input() -> &'static Path {
    static FOLDER: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, input) = FOLDER.get_or_init(|| {
        let folder = TempDir::new().expect("a folder");
        let input = folder.path().join("in");
        fs::create_dir_all(input.join("attachments")).expect("it can be made");
        fs::write(input.join("brief.md"), "pod web-0 is Pending").expect("it can be written");
        (folder, input)
    });
    input
}

pub fn run(bytes: &[u8]) {
    let input = input();
    fs::write(input.join("attachments/cluster.json"), bytes).expect("it can be written");
    for skill in agent::SKILLS {
        if let Err(failure) = agent::diagnose(skill, input, &mut Progress::silent()) {
            super::is_readable(&failure.to_string());
        }
    }
}
