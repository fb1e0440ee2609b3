//! sled behind the durable wrapper; no other file of the workspace names it.
//!
//! # Invariant
//! Between two fdatasyncs of sled's file at most a part of one of its segments is written: only then
//! can sled neither reuse a segment whose copy is not durable, nor take a later segment's header for
//! proof that an earlier one is whole.
//!
//! # Why
//! What sled 0.34 promises and does not keep, and what is done about it here:
//! - `flush` calls `sync_file_range`, which is no durability: an fdatasync of `db` follows it.
//! - leaves over 128 KiB go to files that are never synced: long values are cut into pieces.
//! - a new folder's `conf` is not synced: it is made under another name and renamed when durable.
//! - `snap.….generating`, left by a kill while opening, is later taken for a snapshot: it is removed.
//! - opening writes a snapshot of what the kernel holds, durable or not: `db` is synced before.
//! - damage makes it panic, even in opening: that is caught and told as damage.

use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sled::{Db, IVec};

use super::engine::{Engine, EngineError, Order, Pairs, Part};
use super::{Op, Space};
use crate::disk;

/// The folder's name.
pub(super) const NAME: &str = "sled";
/// What sled may write to its file between two fdatasyncs of it: a quarter of one of its segments.
const WINDOW_BYTES: usize = 128 * 1024;
/// What is handed to sled before it is asked how much it has written: it writes two to four times as
/// much, seldom ten times, and with that the window stays below a segment.
const ASK_BYTES: usize = 16 * 1024;
/// What one operation adds to its key and value in sled's file.
const OP_BYTES: usize = 48;
/// The largest value that is kept in one piece: a leaf of sled's tree holds up to 17 values, and one
/// of more than 128 KiB goes to a file of its own.
const PIECE_BYTES: usize = 4 * 1024;
/// Where the further pieces of long values are.
const PIECES: u8 = 0xFF;
/// What sled may hold of its file in memory: the log's tail is held elsewhere.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// One answer of a range.
const RANGE_BYTES: usize = 4 * 1024 * 1024;
/// How long opening may take: ten times what a million entries take on a slow disk.
const OPEN_LIMIT: Duration = Duration::from_mins(5);
/// How long the threads of a closed sled may hold on to its lock.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

struct Sled {
    db: Db,
    file: File,
    dir: PathBuf,
    /// Handed to sled since it was last asked.
    handed_bytes: AtomicUsize,
    /// Written by sled since the last fdatasync.
    written_bytes: AtomicUsize,
}

impl From<sled::Error> for EngineError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => {
                Self::InUse
            }
            sled::Error::Io(error) => Self::Failed(error),
            sled::Error::Corruption { .. } => Self::Damaged("sled: a checksum is wrong".to_owned()),
            other @ (sled::Error::CollectionNotFound(_)
            | sled::Error::Unsupported(_)
            | sled::Error::ReportableBug(_)) => Self::Damaged(format!("sled: {other}")),
        }
    }
}

/// Opens sled's folder in `dir`; makes it when it is not there.
pub(super) fn open(dir: &Path) -> Result<Box<dyn Engine>, EngineError> {
    let folder = dir.join(NAME);
    if !folder.exists() {
        create(dir, &folder)?;
    }
    remove_half_snapshots(&folder).map_err(EngineError::Failed)?;
    let file = File::options()
        .read(true)
        .write(true)
        .open(folder.join("db"))
        .map_err(EngineError::Failed)?;
    // What sled reads now it will call durable: so it must be what the disk holds.
    file.sync_data()
        .and_then(|()| disk::forget_cached(&file))
        .map_err(EngineError::Failed)?;
    let db = open_db(&folder)?;
    disk::sync_folder(&folder).map_err(EngineError::Failed)?;
    Ok(Box::new(Sled {
        db,
        file,
        dir: folder,
        handed_bytes: AtomicUsize::new(0),
        written_bytes: AtomicUsize::new(0),
    }))
}

fn create(dir: &Path, folder: &Path) -> Result<(), EngineError> {
    let new = dir.join(format!("{NAME}.new"));
    if new.exists() {
        fs::remove_dir_all(&new).map_err(EngineError::Failed)?;
    }
    let db = open_db(&new)?;
    db.flush()?;
    drop(db);
    let made = || -> io::Result<()> {
        for entry in fs::read_dir(&new)? {
            File::open(entry?.path())?.sync_all()?;
        }
        disk::sync_folder(&new)?;
        fs::rename(&new, folder)?;
        disk::sync_folder(dir)
    };
    made().map_err(EngineError::Failed)
}

fn remove_half_snapshots(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "generating") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Opens on a thread of its own: damage may make sled panic there, or never come back.
fn open_db(folder: &Path) -> Result<Db, EngineError> {
    let config = sled::Config::new()
        .path(folder)
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms(None)
        .mode(sled::Mode::HighThroughput);
    for _ in 0..LOCK_TRIES {
        let (told, answer) = mpsc::channel();
        let config = config.clone();
        let opening = thread::Builder::new()
            .name("sled-open".to_owned())
            .spawn(move || told.send(config.open()))
            .map_err(EngineError::Failed)?;
        match answer.recv_timeout(OPEN_LIMIT) {
            Ok(Ok(db)) => return Ok(db),
            Ok(Err(error)) => match EngineError::from(error) {
                EngineError::InUse => thread::sleep(LOCK_PAUSE),
                error @ (EngineError::Damaged(_) | EngineError::Failed(_)) => return Err(error),
            },
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let said = match opening.join() {
                    Ok(_) => "it gave no answer".to_owned(),
                    Err(panic) => super::engine::said(panic.as_ref()),
                };
                return Err(EngineError::Damaged(format!("sled broke off: {said}")));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let said = format!("sled did not open within {OPEN_LIMIT:?}");
                return Err(EngineError::Damaged(said));
            }
        }
    }
    Err(EngineError::InUse)
}

impl Sled {
    fn put(&self, space: Space, key: &[u8], value: &[u8]) -> Result<(), EngineError> {
        let mut pieces = value.chunks(PIECE_BYTES);
        let first = pieces.next().unwrap_or_default();
        let mut count = 0_u16;
        for piece in pieces {
            self.db.insert(piece_key(space, key, count), piece)?;
            count += 1;
        }
        let stored = [&count.to_be_bytes(), first].concat();
        let old = self.db.insert(full_key(space, key), stored)?;
        self.remove_pieces(space, key, count, old.as_ref())
    }

    fn delete(&self, space: Space, key: &[u8]) -> Result<(), EngineError> {
        let old = self.db.remove(full_key(space, key))?;
        self.remove_pieces(space, key, 0, old.as_ref())
    }

    fn remove_pieces(
        &self,
        space: Space,
        key: &[u8],
        from: u16,
        old: Option<&IVec>,
    ) -> Result<(), EngineError> {
        let Some(old) = old else { return Ok(()) };
        let (count, _) = split(old)?;
        for piece in from..count {
            self.db.remove(piece_key(space, key, piece))?;
        }
        Ok(())
    }

    fn whole(&self, space: Space, key: &[u8], stored: &IVec) -> Result<Vec<u8>, EngineError> {
        let (count, first) = split(stored)?;
        let mut value = first.to_vec();
        for number in 0..count {
            let piece = self.db.get(piece_key(space, key, number))?.ok_or_else(|| {
                EngineError::Damaged(format!("sled: a piece of a value of {space:?} is missing"))
            })?;
            value.extend(piece.as_ref());
        }
        Ok(value)
    }

    fn keys_in(&self, space: Space, from: &[u8], until: &[u8]) -> Result<Vec<IVec>, EngineError> {
        let range = full_key(space, from)..full_key(space, until);
        let keys: Result<Vec<IVec>, sled::Error> = self.db.range(range).keys().collect();
        Ok(keys?)
    }

    /// Counts what was handed over; says how many fdatasyncs that led to.
    fn count(&self, bytes: usize) -> Result<u64, EngineError> {
        let handed = self
            .handed_bytes
            .fetch_add(bytes + OP_BYTES, Ordering::Relaxed);
        if handed + bytes + OP_BYTES < ASK_BYTES {
            return Ok(0);
        }
        self.handed_bytes.store(0, Ordering::Relaxed);
        let new = self.db.flush()?;
        let written = self.written_bytes.fetch_add(new, Ordering::Relaxed) + new;
        if written < WINDOW_BYTES {
            return Ok(0);
        }
        self.sync()?;
        Ok(1)
    }
}

impl Engine for Sled {
    fn apply(&self, ops: &[&Op]) -> Result<u64, EngineError> {
        let mut syncs = 0;
        for op in ops {
            match op {
                Op::Put(space, key, value) => {
                    self.put(*space, key, value)?;
                    syncs += self.count(key.len() + value.len())?;
                }
                Op::Delete(space, key) => {
                    self.delete(*space, key)?;
                    syncs += self.count(key.len())?;
                }
                Op::DeleteRange(space, from, until) => {
                    for key in self.keys_in(*space, from, until)? {
                        self.delete(*space, &key[1..])?;
                        syncs += self.count(key.len())?;
                    }
                }
            }
        }
        Ok(syncs)
    }

    fn sync(&self) -> Result<(), EngineError> {
        self.db.flush()?;
        self.file.sync_data().map_err(EngineError::Failed)?;
        self.handed_bytes.store(0, Ordering::Relaxed);
        self.written_bytes.store(0, Ordering::Relaxed);
        Ok(())
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let stored = self.db.get(full_key(space, key))?;
        stored
            .map(|stored| self.whole(space, key, &stored))
            .transpose()
    }

    fn range(&self, part: &Part, order: Order, limit: usize) -> Result<Pairs, EngineError> {
        let from = Bound::Included(full_key(part.space, &part.from));
        let until = Bound::Excluded(match &part.until {
            Some(until) => full_key(part.space, until),
            None => vec![part.space as u8 + 1],
        });
        let range = self.db.range((from, until));
        let pairs: Box<dyn Iterator<Item = _>> = match order {
            Order::Ascending => Box::new(range),
            Order::Descending => Box::new(range.rev()),
        };
        let (mut found, mut bytes) = (Pairs::new(), 0);
        for pair in pairs.take(limit) {
            let (key, stored) = pair?;
            let value = self.whole(part.space, &key[1..], &stored)?;
            bytes += value.len();
            found.push((key[1..].to_vec(), value));
            if bytes >= RANGE_BYTES {
                break;
            }
        }
        Ok(found)
    }

    fn disk_bytes(&self) -> u64 {
        fs::metadata(self.dir.join("db")).map_or(0, |said| said.len())
    }
}

fn full_key(space: Space, key: &[u8]) -> Vec<u8> {
    [&[space as u8], key].concat()
}

fn piece_key(space: Space, key: &[u8], number: u16) -> Vec<u8> {
    let length = u16::try_from(key.len()).unwrap_or(u16::MAX);
    [
        &[PIECES, space as u8],
        length.to_be_bytes().as_slice(),
        key,
        &number.to_be_bytes(),
    ]
    .concat()
}

/// How many further pieces a stored value has, and its first one.
fn split(stored: &IVec) -> Result<(u16, &[u8]), EngineError> {
    let (count, first) = stored
        .split_first_chunk::<2>()
        .ok_or_else(|| EngineError::Damaged("sled: a value is cut off".to_owned()))?;
    Ok((u16::from_be_bytes(*count), first))
}
