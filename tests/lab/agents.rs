//! What a node's agents are doing, as their folders and processes show it.

use std::fs;
use std::path::{Path, PathBuf};

use super::case::CASE_LIMIT;
use super::http::{Reply, raw};
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

    /// Asks the gateway `METHOD TARGET/path` over the socket of each attempt that has one, with its
    /// token, as its agent would: also while that stands still. A socket that nobody serves any more
    /// answers nothing.
    ///
    /// # Panics
    /// When an attempt has no token.
    pub fn ask_as_agents(&self, method: &str, path: &str) -> Vec<Reply> {
        let sockets = found_in(&self.data().join("boxes"), "gateway.sock");
        let asked = sockets.iter().filter_map(|folder| {
            let attempt = folder.file_name().expect("an attempt has a folder");
            let own = folder.ancestors().nth(2).expect("it is in its box's");
            let token = own.join("in").join(attempt).join("gateway.token");
            let token = fs::read_to_string(token).expect("the attempt has a token");
            let request = format!(
                "{method} /targets/{path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer \
                 {token}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            raw(&folder.join("gateway.sock"), request.as_bytes()).ok()
        });
        asked.collect()
    }
}

/// The output folders in which an agent of the tests has begun: it leaves a mark.
fn started_in(folder: &Path) -> Vec<PathBuf> {
    found_in(folder, "starts")
}

/// The folders below one that hold something of that name.
fn found_in(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder {
            found.extend(found_in(&entry.path(), name));
        } else if entry.file_name() == name {
            found.push(folder.to_owned());
        }
    }
    found
}
