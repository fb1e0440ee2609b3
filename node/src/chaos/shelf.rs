//! The files through which a daemon and its warden speak, in a folder of the node's data.
//!
//! ```text
//! orders.json   daemon: what is to be done      warden.json   warden: which process it is
//! go.json       daemon: when the run started    armed.json    warden: that it is ready, or why not
//! did.jsonl     warden: what it did             undo.json     warden: what must be taken off
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rules::chaos::Did;
use runtime::clock;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::orders::Orders;
use super::undo::Undo;

/// The folder's name.
const FOLDER: &str = "chaos";
/// Only its owner reads it.
const CLOSED: u32 = 0o700;

/// What a warden says before it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Why it cannot do its part; none where it can.
    pub refused: Option<String>,
}

/// A process, and which one of those that had its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it began, in ticks since the host did.
    pub began: u64,
}

impl Process {
    /// The process of that number, where there is one.
    pub fn of(pid: i32) -> Option<Self> {
        let (state, began) = seen(pid)?;
        // What was killed and not waited for is no process any more.
        (state != "Z").then_some(Self { pid, began })
    }

    /// Whether it still runs, or is stopped.
    pub fn is_there(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends it a signal; one that is gone gets none.
    pub fn signal(self, signal: Signal) -> nix::Result<()> {
        if self.is_there() {
            return kill(Pid::from_raw(self.pid), signal);
        }
        Ok(())
    }
}

/// A process' state and beginning.
fn seen(pid: i32) -> Option<(String, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may hold anything.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.to_owned();
    let began = fields.nth(18)?.parse().ok()?;
    Some((state, began))
}

/// The folder of a node's part of a run.
#[derive(Clone, Debug)]
pub struct Shelf(PathBuf);

impl Shelf {
    /// Below a node's data folder.
    pub fn below(data: &Path) -> Self {
        Self(data.join(FOLDER))
    }

    /// Whether a part of a run, or a remainder of one, is in it.
    pub fn is_used(&self) -> bool {
        self.file("orders").exists()
    }

    /// Takes orders in; those of a run before must have been cleared.
    pub fn begin(&self, orders: &Orders) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(CLOSED)
            .create(&self.0)?;
        self.put("orders", orders)
    }

    /// The orders.
    pub fn orders(&self) -> Option<Orders> {
        self.get("orders")
    }

    /// Takes everything away.
    pub fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The warden, while it is there.
    pub fn warden(&self) -> Option<Process> {
        let warden: Process = self.get("warden")?;
        warden.is_there().then_some(warden)
    }

    /// Whether a warden ever was there for these orders.
    pub fn had_warden(&self) -> bool {
        self.file("warden").exists()
    }

    pub(super) fn set_warden(&self, warden: Process) -> io::Result<()> {
        self.put("warden", &warden)
    }

    /// What the warden said of its part.
    pub fn armed(&self) -> Option<Word> {
        self.get("armed")
    }

    pub(super) fn set_armed(&self, word: &Word) -> io::Result<()> {
        self.put("armed", word)
    }

    /// When the run started, by the boot clock.
    pub fn started_ms(&self) -> Option<u64> {
        self.get("go")
    }

    /// Lets the warden begin: the run started so long ago.
    pub fn go(&self, ago_ms: u64) -> io::Result<()> {
        self.put("go", &clock::boot().0.saturating_sub(ago_ms))
    }

    /// What was done so far.
    pub fn did(&self) -> Vec<Did> {
        let text = fs::read_to_string(self.0.join("did.jsonl")).unwrap_or_default();
        let lines = text.lines();
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    pub(super) fn add_did(&self, did: &[Did]) -> io::Result<()> {
        let mut text = String::new();
        for did in did {
            text.push_str(&serde_json::to_string(did)?);
            text.push('\n');
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.0.join("did.jsonl"))?;
        file.write_all(text.as_bytes())
    }

    pub(super) fn undo(&self) -> Vec<Undo> {
        self.get("undo").unwrap_or_default()
    }

    pub(super) fn set_undo(&self, undo: &[Undo]) -> io::Result<()> {
        if undo.is_empty() {
            // A full disk takes no file, but lets one go.
            return match fs::remove_file(self.file("undo")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        self.put("undo", &undo)
    }

    /// A file that stands in the way of others.
    pub(super) fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.json"))
    }

    fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let bytes = fs::read(self.file(name)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes a file whole or not at all.
    fn put(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let new = self.0.join(format!("{name}.new"));
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec(value)?)?;
        file.sync_all()?;
        fs::rename(&new, self.file(name))?;
        File::open(&self.0)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::{Process, Shelf};
    use rules::chaos::Did;

    #[test]
    fn a_process_is_known_by_its_number_and_its_beginning() {
        let me = i32::try_from(std::process::id()).unwrap();
        let found = Process::of(me).unwrap();
        assert!(found.is_there());
        let began = found.began + 1;
        assert!(!Process { began, ..found }.is_there());
        assert_eq!(Process::of(i32::MAX), None);
    }

    #[test]
    fn what_was_done_is_read_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("chaos")).unwrap();
        let shelf = Shelf::below(folder.path());
        let did = |step| Did {
            step,
            from_wall_ms: 1,
            to_wall_ms: 2,
            trouble: "a \"quoted\"\nword".to_owned(),
        };
        shelf.add_did(&[did(0)]).unwrap();
        shelf.add_did(&[did(1), did(2)]).unwrap();
        assert_eq!(shelf.did(), [did(0), did(1), did(2)]);
        assert!(!shelf.is_used());
    }
}
