//! redb behind the same trait: the insurance against sled; no other file of the workspace names it.
//!
//! # Why
//! It keeps to what it promises, so there is little to mend: a commit without durability for each
//! batch, and an empty one with durability to settle them. It is not the default since sled is asked
//! for, and since it writes more for each entry.

use std::fs::{self, File};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use redb::{Database, DatabaseError, Durability, ReadableDatabase, TableDefinition};

use super::engine::{Engine, EngineError, Order, Pairs, Part};
use super::{Op, Space};
use crate::disk;

/// The file's name.
pub(super) const NAME: &str = "redb";
const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("domo");
/// What redb may hold of its file in memory: the log's tail is held elsewhere.
const CACHE_BYTES: usize = 16 * 1024 * 1024;
/// One answer of a range.
const RANGE_BYTES: usize = 4 * 1024 * 1024;

struct Redb {
    db: Database,
    path: PathBuf,
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "redb keeps its list of errors open"
)]
impl From<redb::Error> for EngineError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => Self::Failed(error),
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            redb::Error::Corrupted(why) => Self::Damaged(format!("redb: {why}")),
            // A write failed before: opening it again is what helps.
            redb::Error::PreviousIo => {
                Self::Failed(std::io::Error::other("an earlier write failed"))
            }
            other => Self::Damaged(format!("redb: {other}")),
        }
    }
}

/// Opens redb's file in `dir`; makes it when it is not there.
pub(super) fn open(dir: &Path) -> Result<Box<dyn Engine>, EngineError> {
    let path = dir.join(NAME);
    if !path.exists() {
        create(dir, &path)?;
    }
    let file = File::options()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(EngineError::Failed)?;
    file.sync_data()
        .and_then(|()| disk::forget_cached(&file))
        .map_err(EngineError::Failed)?;
    let db = Database::builder()
        .set_cache_size(CACHE_BYTES)
        .open(&path)
        .map_err(opening)?;
    Ok(Box::new(Redb { db, path }))
}

fn create(dir: &Path, path: &Path) -> Result<(), EngineError> {
    let new = dir.join(format!("{NAME}.new"));
    if new.exists() {
        fs::remove_file(&new).map_err(EngineError::Failed)?;
    }
    let redb = Redb {
        db: Database::create(&new).map_err(opening)?,
        path: path.to_owned(),
    };
    redb.sync()?;
    drop(redb);
    fs::rename(&new, path)
        .and_then(|()| disk::sync_folder(dir))
        .map_err(EngineError::Failed)
}

fn opening(error: DatabaseError) -> EngineError {
    EngineError::from(redb::Error::from(error))
}

fn failed(error: impl Into<redb::Error>) -> EngineError {
    EngineError::from(error.into())
}

impl Redb {
    fn commit(&self, ops: &[&Op], durability: Durability) -> Result<(), EngineError> {
        let mut write = self.db.begin_write().map_err(failed)?;
        write.set_durability(durability).map_err(failed)?;
        {
            let mut table = write.open_table(TABLE).map_err(failed)?;
            for op in ops {
                match op {
                    Op::Put(space, key, value) => {
                        let key = full_key(*space, key);
                        table
                            .insert(key.as_slice(), value.as_slice())
                            .map_err(failed)?;
                    }
                    Op::Delete(space, key) => {
                        table
                            .remove(full_key(*space, key).as_slice())
                            .map_err(failed)?;
                    }
                    Op::DeleteRange(space, from, until) => {
                        let (from, until) = (full_key(*space, from), full_key(*space, until));
                        table
                            .retain_in(from.as_slice()..until.as_slice(), |_, _| false)
                            .map_err(failed)?;
                    }
                }
            }
        }
        write.commit().map_err(failed)
    }
}

impl Engine for Redb {
    fn apply(&self, ops: &[&Op]) -> Result<u64, EngineError> {
        self.commit(ops, Durability::None).map(|()| 0)
    }

    fn sync(&self) -> Result<(), EngineError> {
        self.commit(&[], Durability::Immediate)
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let read = self.db.begin_read().map_err(failed)?;
        let table = read.open_table(TABLE).map_err(failed)?;
        let value = table.get(full_key(space, key).as_slice()).map_err(failed)?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    fn range(&self, part: &Part, order: Order, limit: usize) -> Result<Pairs, EngineError> {
        let read = self.db.begin_read().map_err(failed)?;
        let table = read.open_table(TABLE).map_err(failed)?;
        let from = full_key(part.space, &part.from);
        let until = match &part.until {
            Some(until) => full_key(part.space, until),
            None => vec![part.space as u8 + 1],
        };
        let bounds = (
            Bound::Included(from.as_slice()),
            Bound::Excluded(until.as_slice()),
        );
        let range = table.range::<&[u8]>(bounds).map_err(failed)?;
        let pairs: Box<dyn Iterator<Item = _>> = match order {
            Order::Ascending => Box::new(range),
            Order::Descending => Box::new(range.rev()),
        };
        let (mut found, mut bytes) = (Pairs::new(), 0);
        for pair in pairs.take(limit) {
            let (key, value) = pair.map_err(failed)?;
            bytes += value.value().len();
            found.push((key.value()[1..].to_vec(), value.value().to_vec()));
            if bytes >= RANGE_BYTES {
                break;
            }
        }
        Ok(found)
    }

    fn disk_bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |said| said.len())
    }
}

fn full_key(space: Space, key: &[u8]) -> Vec<u8> {
    [&[space as u8], key].concat()
}
