//! Where a node's records begin after the oldest were put into an archive: a head that a node signed.
//!
//! # Invariant
//! It is on the disk before the first file is removed, so a death in between leaves more than it says,
//! never less.

use std::io::{self, Write as _};
use std::path::Path;

use rules::id::NodeId;

use super::checkpoint::Checkpoint;
use super::line::Head;
use crate::clock;
use crate::disk::{self, OpenOptions};
use crate::links::{Keys, Signers};

const FILE: &str = "begins.json";
const NEW: &str = "begins.json.new";

/// Where the records of a folder begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begin {
    /// The last record that is not there; 0 where all are.
    pub count: u64,
    /// The head with it.
    pub head: Head,
    /// The entry that it told of.
    pub index: u64,
}

impl Begin {
    pub(super) fn of(checkpoint: &Checkpoint) -> Option<Self> {
        let known = checkpoint.known()?;
        Some(Self {
            count: known.count,
            head: known.head,
            index: checkpoint.index,
        })
    }
}

/// The word of a node for where the records of a folder begin; none where all are there.
pub fn word(dir: &Path) -> io::Result<Option<Checkpoint>> {
    let text = match disk::read_text(&dir.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    Ok(serde_json::from_str(&text).ok())
}

/// Where the records of a folder begin, as far as somebody's word for it is good.
pub fn read(dir: &Path, signers: &[Signers]) -> io::Result<Begin> {
    let word = word(dir)?;
    let is_good = |word: &Checkpoint| signers.is_empty() || word.is_signed(signers);
    let begin = word.filter(is_good).and_then(|word| Begin::of(&word));
    Ok(begin.unwrap_or_default())
}

/// Writes down where the records of a folder begin; durable when this returns.
pub(super) fn write(dir: &Path, word: &Checkpoint) -> io::Result<()> {
    let text = serde_json::to_string(word).map_err(io::Error::other)?;
    let new = dir.join(NEW);
    let anew = OpenOptions {
        write: true,
        create: true,
        truncate: true,
        mode: Some(0o600),
        ..OpenOptions::default()
    };
    let mut file = anew.open(&new)?;
    file.write_all((text + "\n").as_bytes())?;
    file.sync_all()?;
    disk::rename(&new, &dir.join(FILE))?;
    disk::sync_folder(dir)
}

/// Has a node's own keys vouch for where its records begin, because whoever did so signs no more: its
/// authority was founded anew, by whoever restored or recovered it.
pub fn vouch(dir: &Path, node: NodeId, keys: &Keys) -> io::Result<()> {
    let Some(begin) = word(dir)?.and_then(|word| Begin::of(&word)) else {
        return Ok(());
    };
    let end = (begin.count, begin.index, begin.head);
    write(dir, &Checkpoint::new(node, end, clock::wall(), Some(keys)))
}

/// A node's word as a backup holds it among the lines of records.
pub(crate) fn told(word: &Checkpoint) -> String {
    let line = serde_json::to_string(word).unwrap_or_default();
    [super::export::CHECKPOINT, &line, "}\n"].concat()
}

/// A node's word out of a backup, where that is what the lines are.
pub(crate) fn heard(lines: &str) -> Option<Checkpoint> {
    super::export::checkpoint(lines.trim_end())
}
