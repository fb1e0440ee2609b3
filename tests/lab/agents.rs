//! What a node's agents are doing, as their folders and processes show it.

use std::fs;
use std::path::{Path, PathBuf};

use super::case::CASE_LIMIT;
use super::node::Node;
use super::sweep::Leftover;
use super::wait::wait_until;

impl Node {
    /// What is there of its agents' boxes.
    pub fn boxes(&self) -> Vec<Leftover> {
        let mut left = Leftover::of(self.data());
        left.retain(
            |left| !matches!(left, Leftover::Process(_, line) if line.contains(" node run ")),
        );
        left
    }

    /// Waits until so many agents of the tests have begun, in all attempts that are still here.
    pub fn wait_started(&self, count: usize) {
        wait_until(CASE_LIMIT, &format!("{count} agents have begun"), || {
            let found = started_in(self.data());
            if found.len() >= count {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        });
    }

    /// Waits until each agent that has begun has written a file of this name.
    pub fn wait_written(&self, name: &str) {
        wait_until(CASE_LIMIT, &format!("agents have written {name}"), || {
            let begun = started_in(self.data());
            let without = begun.iter().find(|folder| !folder.join(name).exists());
            without.map_or(Ok(()), |folder| Err(folder.display().to_string()))
        });
    }

    /// Puts a file into the output folder of each agent that runs: those that await it go on.
    ///
    /// # Panics
    /// When it cannot be put there.
    pub fn release(&self, name: &str) {
        for folder in started_in(self.data()) {
            fs::write(folder.join(name), "").expect("an agent's folder can be written");
        }
    }
}

/// The output folders in which an agent of the tests has begun: it leaves a mark.
fn started_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder {
            found.extend(started_in(&entry.path()));
        } else if entry.file_name() == "starts" {
            found.push(folder.to_owned());
        }
    }
    found
}
