//! Blobs: bytes named by their SHA-256, as plain files beside the ledger.
//!
//! ```text
//! put ─► incoming/7 ─► fsync ─► link ab/cdef… ─► fsync the folder ─► unlink incoming/7
//! ```
//!
//! # Invariant
//! What has its name is whole and durable, or its put is still in `incoming`: after a kill, what
//! is left there tells that names may not be durable yet, and opening makes them so.
//!
//! # Why
//! A rename would be one step shorter, but would leave no trace of a put that was cut off between
//! the rename and the folder's fsync; the next put of the same bytes would then be answered
//! without any fsync at all.

mod read;
mod sweep;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rules::id::BlobRef;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

pub use read::BlobReader;
pub use sweep::Swept;

use crate::clock::{self, BootMs};
use crate::disk;

/// The largest blob: a core dump's summary fits, a core dump does not.
pub const MAX_BLOB_BYTES: u64 = 64 * 1024 * 1024;
/// How much of a blob is held in memory at once.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// Bytes of the disk that no blob may take, so that the ledger can still write.
pub const KEEP_FREE_BYTES: u64 = 64 * 1024 * 1024;

/// Why bytes were not taken or given.
#[derive(Debug, Error)]
pub enum BlobError {
    /// They are more than is allowed: hand over less.
    #[error("limit {limit} = {max} bytes is reached")]
    TooLarge {
        /// The limit's name.
        limit: String,
        /// Its value.
        max: u64,
    },
    /// The disk is full: make room and try again.
    #[error("the disk is full: {free_bytes} bytes are free")]
    DiskFull {
        /// What is free.
        free_bytes: u64,
    },
    /// The disk takes no writes: look at it.
    #[error("the disk takes no writes")]
    ReadOnly,
    /// It is not here: fetch it from another node, or hand it over again.
    #[error("blob {0} is not on this node")]
    Missing(BlobRef),
    /// Its bytes are not those that its name promises; they were set aside, so it can be handed over again.
    #[error("blob {0} is damaged; it was set aside, fetch it or hand it over again")]
    Damaged(BlobRef),
    /// The disk or whoever hands over failed: try again.
    #[error("cannot {what}")]
    Failed {
        /// What was tried.
        what: &'static str,
        /// What came back.
        source: io::Error,
    },
}

/// How many bytes may come, and under which name that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The limit's name.
    pub limit: String,
    /// What is left of it.
    pub left_bytes: u64,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            limit: "MAX_BLOB_BYTES".to_owned(),
            left_bytes: MAX_BLOB_BYTES,
        }
    }
}

impl Allowance {
    fn bytes(&self) -> u64 {
        self.left_bytes.min(MAX_BLOB_BYTES)
    }

    fn exceeded(&self) -> BlobError {
        if self.left_bytes > MAX_BLOB_BYTES {
            return Self::default().exceeded();
        }
        BlobError::TooLarge {
            limit: self.limit.clone(),
            max: self.left_bytes,
        }
    }
}

/// The blobs of a node; clones are handles to the same ones.
#[derive(Clone, Debug)]
pub struct Blobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    keep_free_bytes: u64,
    next_incoming: AtomicU64,
    opened: BootMs,
    /// Held while a name is looked at or removed.
    settling: Mutex<Settling>,
}

#[derive(Debug, Default)]
struct Settling {
    /// Names that are being given, and not durable yet.
    names: BTreeSet<[u8; 32]>,
    /// When blobs were last put by this process; forgotten once they are old enough to be swept.
    put: BTreeMap<[u8; 32], BootMs>,
}

impl Blobs {
    /// Opens the blobs of a folder; makes it when it is not there, and clears what was cut off.
    pub fn open(dir: &Path) -> Result<Self, BlobError> {
        Self::open_keeping(dir, KEEP_FREE_BYTES)
    }

    /// As [`Blobs::open`], leaving so many bytes of the disk free.
    pub fn open_keeping(dir: &Path, keep_free_bytes: u64) -> Result<Self, BlobError> {
        let inner = Inner {
            dir: dir.to_owned(),
            keep_free_bytes,
            next_incoming: AtomicU64::new(0),
            opened: clock::boot(),
            settling: Mutex::default(),
        };
        clear(&inner).map_err(|error| inner.failed("open the blobs' folder", error))?;
        Ok(Self(Arc::new(inner)))
    }

    /// Takes all bytes of `source` in, and answers once they are durable.
    ///
    /// Holds at most [`CHUNK_BYTES`] of them in memory. Bytes that are here already are not written
    /// to their place again.
    pub async fn put(
        &self,
        source: impl AsyncRead + Send,
        allowance: &Allowance,
    ) -> Result<BlobRef, BlobError> {
        self.0.check_room(0)?;
        let incoming = Incoming::new(&self.0);
        let taken = self.take(source, &incoming, allowance).await?;
        let inner = Arc::clone(&self.0);
        blocking(move || inner.settle(&incoming, taken)).await
    }

    /// As [`Blobs::put`], for bytes that are in memory.
    pub async fn put_bytes(
        &self,
        bytes: Vec<u8>,
        allowance: &Allowance,
    ) -> Result<BlobRef, BlobError> {
        if bytes.len() as u64 > allowance.bytes() {
            return Err(allowance.exceeded());
        }
        let inner = Arc::clone(&self.0);
        blocking(move || inner.put_now(&bytes)).await
    }

    /// Whether it is here, with all its bytes.
    pub fn has(&self, blob: &BlobRef) -> bool {
        self.0.is_at_its_place(blob)
    }

    async fn take(
        &self,
        source: impl AsyncRead + Send,
        incoming: &Incoming,
        allowance: &Allowance,
    ) -> Result<BlobRef, BlobError> {
        let failed = |error| self.0.failed("write a blob", error);
        let mut source = std::pin::pin!(source);
        let mut file = tokio::fs::File::create_new(&incoming.0)
            .await
            .map_err(failed)?;
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = source
                .read(&mut chunk)
                .await
                .map_err(|source| BlobError::Failed {
                    what: "read what is handed over",
                    source,
                })?;
            if count == 0 {
                break;
            }
            bytes += count as u64;
            if bytes > allowance.bytes() {
                return Err(allowance.exceeded());
            }
            self.0.check_room(count as u64)?;
            hash.update(&chunk[..count]);
            file.write_all(&chunk[..count]).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        Ok(BlobRef {
            sha256: hash.finalize().into(),
            bytes,
        })
    }
}

impl Inner {
    fn put_now(&self, bytes: &[u8]) -> Result<BlobRef, BlobError> {
        let blob = BlobRef {
            sha256: Sha256::digest(bytes).into(),
            bytes: bytes.len() as u64,
        };
        if self.is_settled(&blob) {
            return Ok(blob);
        }
        self.check_room(blob.bytes)?;
        let incoming = Incoming::new(self);
        let failed = |error| self.failed("write a blob", error);
        let mut file = fs::File::create_new(&incoming.0).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        self.settle(&incoming, blob)
    }

    /// Gives what came its name, and makes both durable.
    fn settle(&self, incoming: &Incoming, blob: BlobRef) -> Result<BlobRef, BlobError> {
        if self.is_settled(&blob) {
            return Ok(blob);
        }
        self.settling().names.insert(blob.sha256);
        let done = self.link(incoming, &blob);
        let mut settling = self.settling();
        settling.names.remove(&blob.sha256);
        settling.put.insert(blob.sha256, clock::boot());
        done.map_err(|error| self.failed("make a blob durable", error))?;
        Ok(blob)
    }

    fn link(&self, incoming: &Incoming, blob: &BlobRef) -> io::Result<()> {
        fs::File::open(&incoming.0)?.sync_all()?;
        let place = self.place(blob);
        let folder = self.folder(blob);
        match fs::create_dir(&folder) {
            Ok(()) => disk::sync_folder(&self.dir)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        match fs::hard_link(&incoming.0, &place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Another put of the same bytes was faster, or a file of a wrong length is in the way.
                if !self.is_at_its_place(blob) {
                    fs::rename(&incoming.0, &place)?;
                }
            }
            linked => linked?,
        }
        disk::sync_folder(&folder)
    }

    /// Whether it is here and durable; what is asked for again is as young as what is new.
    fn is_settled(&self, blob: &BlobRef) -> bool {
        let mut settling = self.settling();
        let is_settled = !settling.names.contains(&blob.sha256) && self.is_at_its_place(blob);
        if is_settled {
            settling.put.insert(blob.sha256, clock::boot());
        }
        is_settled
    }

    fn is_at_its_place(&self, blob: &BlobRef) -> bool {
        fs::metadata(self.place(blob)).is_ok_and(|said| said.len() == blob.bytes)
    }

    fn check_room(&self, bytes: u64) -> Result<(), BlobError> {
        let free_bytes = disk::free_bytes(&self.dir)
            .map_err(|error| self.failed("ask how much room the disk has", error))?;
        if free_bytes < self.keep_free_bytes.saturating_add(bytes) {
            return Err(BlobError::DiskFull { free_bytes });
        }
        Ok(())
    }

    fn failed(&self, what: &'static str, source: io::Error) -> BlobError {
        if disk::is_full(&source) {
            let free_bytes = disk::free_bytes(&self.dir).unwrap_or(0);
            return BlobError::DiskFull { free_bytes };
        }
        if disk::is_read_only(&source) {
            return BlobError::ReadOnly;
        }
        BlobError::Failed { what, source }
    }

    fn settling(&self) -> MutexGuard<'_, Settling> {
        self.settling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self, blob: &BlobRef) -> PathBuf {
        self.dir.join(&blob.to_string()[..2])
    }

    fn place(&self, blob: &BlobRef) -> PathBuf {
        let name = blob.to_string();
        self.dir.join(&name[..2]).join(&name[2..])
    }
}

/// A file that has no name yet; it is gone when its put is over, however that ended.
struct Incoming(PathBuf);

impl Incoming {
    fn new(inner: &Inner) -> Self {
        let number = inner.next_incoming.fetch_add(1, Ordering::Relaxed);
        Self(inner.dir.join("incoming").join(number.to_string()))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What cannot be removed now is cleared at the next opening.
        drop(fs::remove_file(&self.0));
    }
}

/// Removes what was cut off, after the names that it may have got are durable.
fn clear(inner: &Inner) -> io::Result<()> {
    let incoming = inner.dir.join("incoming");
    fs::create_dir_all(&incoming)?;
    let left: Vec<_> = fs::read_dir(&incoming)?.collect::<io::Result<_>>()?;
    if left.is_empty() {
        return Ok(());
    }
    for folder in fs::read_dir(&inner.dir)? {
        disk::sync_folder(&folder?.path())?;
    }
    disk::sync_folder(&inner.dir)?;
    left.iter()
        .try_for_each(|file| fs::remove_file(file.path()))
}

async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, BlobError> + Send + 'static,
) -> Result<R, BlobError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(BlobError::Failed {
                what: "finish with the blobs",
                source: io::Error::other(error),
            })
        })
}
