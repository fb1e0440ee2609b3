//! Snapshots: the whole state in a file, so that the log before it can go.
//!
//! ```text
//! snapshot-0000000000050000   head │ piece │ piece │ …      each in its envelope
//! ```
//!
//! # Invariant
//! A file under its name is whole and durable: it is written under another one, synced and renamed.
//! The one before is removed only then.

use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rules::State;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::raft::{Members, Place};
use crate::codec::{self, CodecError};
use crate::disk::{self, File};

/// One piece: what is checked at once, and what travels at once.
const PIECE_BYTES: usize = 256 * 1024;
/// Pieces that are made durable at once: what the log has to write meanwhile waits for no more.
const SYNC_PIECES: usize = 4;
/// The largest state: a million open cases' worth, and far below what would not fit into memory.
const MAX_STATE_BYTES: u64 = 2 * 1024 * 1024 * 1024;
const PREFIX: &str = "snapshot-";
const NEW: &str = "snapshot.new";
const COMING: &str = "snapshot.coming";

/// What a snapshot covers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Covered {
    /// The last entry that is in it.
    pub last: Option<Place>,
    /// The entry that last changed the cluster.
    pub members_at: Option<Place>,
    /// The cluster as it was then.
    pub members: Members,
}

/// What stands at the beginning of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    covered: Covered,
    state_bytes: u64,
    /// Of the whole state: pieces that are whole and stand in a wrong order do not make it.
    state_sum: u32,
}

/// A file that holds a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    path: PathBuf,
}

impl SnapshotFile {
    /// The snapshot in this file.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file of no snapshot.
    pub(super) fn none() -> Self {
        Self {
            path: PathBuf::new(),
        }
    }
}

/// The snapshots of a ledger; clones are handles to the same ones.
#[derive(Clone, Debug)]
pub(super) struct Snapshots {
    dir: PathBuf,
    current: Arc<Mutex<Option<(Covered, SnapshotFile)>>>,
    /// Told when the newest one was found unreadable.
    rotted: Arc<Notify>,
    /// Who writes or takes one in holds it: two at once would take each other's files away.
    writing: Arc<Mutex<()>>,
}

/// What was found in a folder of snapshots.
#[derive(Debug)]
pub(super) struct Found {
    /// The folder.
    pub snapshots: Snapshots,
    /// The newest snapshot that is whole, with its state.
    pub newest: Option<(Covered, State)>,
    /// What is wrong with those that are newer.
    pub faults: Vec<String>,
}

impl Snapshots {
    /// Looks through a folder and reads the newest snapshot that is whole, with its state.
    ///
    /// Of one that is not, an older one may take the place while the log still begins before it.
    pub fn open(dir: &Path) -> io::Result<Found> {
        disk::make_folders(dir)?;
        let snapshots = Self {
            dir: dir.to_owned(),
            current: Arc::default(),
            rotted: Arc::default(),
            writing: Arc::default(),
        };
        let (mut newest, mut faults) = (None, Vec::new());
        for path in snapshots.files()?.into_iter().rev() {
            match read(&path) {
                Ok((covered, state)) => {
                    // Who named it may have died, or been refused, before its name was durable; and the
                    // log is cut behind it from now on.
                    File::open(&path)?.sync_all()?;
                    disk::sync_folder(dir)?;
                    let file = SnapshotFile { path };
                    *snapshots.locked() = Some((covered.clone(), file));
                    newest = Some((covered, state));
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    faults.push(format!("{}: {error}", path.display()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Found {
            snapshots,
            newest,
            faults,
        })
    }

    /// Where a snapshot is gathered that comes from another node.
    pub fn coming(&self) -> PathBuf {
        self.dir.join(COMING)
    }

    /// The newest snapshot.
    pub fn current(&self) -> Option<(Covered, SnapshotFile)> {
        self.locked().clone()
    }

    /// The last entry that the newest snapshot covers; 0 without one.
    pub fn index(&self) -> u64 {
        let current = self.locked();
        let last = current.as_ref().and_then(|(covered, _)| covered.last);
        last.map_or(0, |last| last.index)
    }

    /// Writes a snapshot and makes it durable; those before it go. Blocks.
    pub fn write(&self, covered: &Covered, state: &[u8]) -> io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let new = self.dir.join(NEW);
        let written = write(&new, covered, state);
        if written.is_err() {
            // The room is wanted back at once where the disk is full.
            drop(disk::remove(&new));
        }
        written?;
        self.name(&new, covered)
    }

    /// Makes a file durable, and refuses one that is not a whole snapshot which ends there. Blocks.
    pub fn check(file: &SnapshotFile, wanted: Option<Place>) -> io::Result<()> {
        let (head, _) = read_bytes(&file.path)?;
        ends_at(&head.covered, wanted)?;
        File::open(&file.path)?.sync_all()
    }

    /// Looks whether a snapshot that another node could not use can be used at all; where it cannot,
    /// a new one is wanted. Blocks.
    pub fn doubt(&self, file: &SnapshotFile) {
        let Err(error) = read_bytes(&file.path) else {
            return;
        };
        let is_current = self.locked().as_ref().is_some_and(|(_, is)| is == file);
        if is_current {
            tracing::warn!("the newest snapshot is damaged, and made anew: {error}");
            self.rotted.notify_one();
        }
    }

    /// Waits until the newest one was found unreadable.
    pub async fn rotted(&self) {
        self.rotted.notified().await;
    }

    /// Takes in a snapshot that came from elsewhere, if it is whole and ends where it should. Blocks.
    pub fn take_in(
        &self,
        file: &SnapshotFile,
        wanted: Option<Place>,
    ) -> io::Result<(Covered, State)> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (covered, state) = read(&file.path)?;
        ends_at(&covered, wanted)?;
        if file.path != self.path(&covered) {
            File::open(&file.path)?.sync_all()?;
            self.name(&file.path, &covered)?;
        }
        Ok((covered, state))
    }

    fn name(&self, new: &Path, covered: &Covered) -> io::Result<()> {
        let path = self.path(covered);
        if self.index() > covered.last.map_or(0, |last| last.index) {
            // One from elsewhere came meanwhile: the log may be cut behind it already.
            return disk::remove(new);
        }
        disk::rename(new, &path)?;
        disk::sync_folder(&self.dir)?;
        *self.locked() = Some((covered.clone(), SnapshotFile { path: path.clone() }));
        for other in self.files()? {
            if other != path
                && let Err(error) = disk::remove(&other)
            {
                tracing::warn!("an old snapshot stays for now: {error}");
            }
        }
        Ok(())
    }

    fn path(&self, covered: &Covered) -> PathBuf {
        let index = covered.last.map_or(0, |last| last.index);
        self.dir.join(format!("{PREFIX}{index:020}"))
    }

    /// The files, the oldest first.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for path in disk::list(&self.dir)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(PREFIX) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    fn locked(&self) -> MutexGuard<'_, Option<(Covered, SnapshotFile)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(path: &Path, covered: &Covered, state: &[u8]) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(PIECE_BYTES, File::create(path)?);
    let head = Head {
        covered: covered.clone(),
        state_bytes: state.len() as u64,
        state_sum: codec::checksum(&[state]),
    };
    let head = codec::encode(codec::SNAPSHOT_HEAD, &head).map_err(io::Error::other)?;
    file.write_all(&head)?;
    for pieces in state.chunks(SYNC_PIECES * PIECE_BYTES) {
        for piece in pieces.chunks(PIECE_BYTES) {
            let sealed = codec::seal(codec::SNAPSHOT_PIECE, piece).map_err(io::Error::other)?;
            file.write_all(&sealed)?;
        }
        file.flush()?;
        file.get_ref().sync_data()?;
    }
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}

fn ends_at(covered: &Covered, wanted: Option<Place>) -> io::Result<()> {
    if covered.last == wanted {
        return Ok(());
    }
    Err(bad("it ends elsewhere than was said"))
}

fn read(path: &Path) -> io::Result<(Covered, State)> {
    let (head, state) = read_bytes(path)?;
    let state: State = codec::decode_body(&state).map_err(unread)?;
    Ok((head.covered, state))
}

/// What a file holds, once its checksums are right.
fn read_bytes(path: &Path) -> io::Result<(Head, Vec<u8>)> {
    let mut file = File::open(path)?;
    let head = read_sealed(&mut file, codec::SNAPSHOT_HEAD)?;
    let head: Head = codec::decode(codec::SNAPSHOT_HEAD, &head).map_err(unread)?;
    if head.state_bytes > MAX_STATE_BYTES {
        return Err(bad("it is larger than any state"));
    }
    let state_bytes = usize::try_from(head.state_bytes).map_err(io::Error::other)?;
    let mut state = Vec::new();
    while state.len() < state_bytes {
        let sealed = read_sealed(&mut file, codec::SNAPSHOT_PIECE)?;
        state.extend(codec::open(codec::SNAPSHOT_PIECE, &sealed).map_err(unread)?);
    }
    if state.len() != state_bytes || file.read(&mut [0])? != 0 {
        return Err(bad("it does not end where it should"));
    }
    if codec::checksum(&[&state]) != head.state_sum {
        return Err(bad("its pieces do not belong together"));
    }
    Ok((head, state))
}

fn read_sealed(file: &mut File, form: codec::Form) -> io::Result<Vec<u8>> {
    let mut sealed = vec![0; codec::HEAD_BYTES];
    read_exact(file, &mut sealed)?;
    let head = sealed.first_chunk().ok_or_else(|| bad("it is cut off"))?;
    let length = codec::body_length(form, head).map_err(unread)?;
    sealed.resize(codec::HEAD_BYTES + length, 0);
    read_exact(file, &mut sealed[codec::HEAD_BYTES..])?;
    Ok(sealed)
}

fn read_exact(file: &mut File, into: &mut [u8]) -> io::Result<()> {
    file.read_exact(into).map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return bad("it is cut off");
        }
        error
    })
}

fn unread(error: CodecError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(index: u64) -> Covered {
        Covered {
            last: Some(Place { term: 1, index }),
            ..Covered::default()
        }
    }

    #[test]
    fn a_snapshot_that_was_begun_before_another_came_never_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let state = codec::encode_body(&State::default()).unwrap();
        let snapshots = Snapshots::open(dir.path()).unwrap().snapshots;
        for (index, newest) in [(20, 20), (10, 20), (20, 20), (30, 30)] {
            snapshots.write(&covered(index), &state).unwrap();
            assert_eq!(snapshots.index(), newest);
            let found = Snapshots::open(dir.path()).unwrap();
            let last = found.newest.unwrap().0.last.unwrap();
            assert_eq!(last.index, newest);
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }
}
