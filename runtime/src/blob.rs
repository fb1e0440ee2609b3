//! Blobs: bytes named by their SHA-256, as plain fsynced files beside the ledger.
//!
//! ```text
//! put: chunks ─► tmp/<random> ─► fsync ─► rename to ab/cdef… ─► fsync of the folder
//! ```
//!
//! # Invariant
//! A name that is there names whole bytes; what is read is compared with its name. A `put` that
//! has answered survives a power cut.
//!
//! # Why
//! Files, not the ledger's store: large values would delay small entries, and a file can be handed
//! to an agent by a copy or a link.

pub mod carrier;
mod peers;
mod quota;
mod sweep;
#[cfg(test)]
mod tests;

pub use peers::{Carrying, Peers};

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;
use rules::id::BlobRef;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use quota::Quota;

/// Bytes that are read or written at once.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// The largest blob, unless the settings say otherwise: a large log, not a disk image.
pub const BLOB_LIMIT_BYTES: u64 = 64 << 20;
/// Room that a put leaves on the disk, so that the ledger beside it can go on.
pub const RESERVE_BYTES: u64 = 32 << 20;

/// Why a blob cannot be written or read, named after what to do.
#[derive(Debug, Error)]
pub enum BlobError {
    /// Too large: split it, or raise the limit in the settings.
    #[error("a blob has at most {limit_bytes} bytes (limits.blob_bytes)")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// All blobs of the node would take more than they may: raise the limit, or end cases with large
    /// files, whose blobs go when nothing names them any more.
    #[error("the blobs of this node take at most {limit_bytes} bytes (limits.blobs_bytes)")]
    OverQuota {
        /// The limit.
        limit_bytes: u64,
    },
    /// The disk is full: make room, then repeat.
    #[error("no room for a blob at {path}; make room, then repeat")]
    NoRoom {
        /// The folder.
        path: PathBuf,
    },
    /// It is not here: fetch it from a node that has it.
    #[error("blob {0} is not here")]
    Absent(BlobRef),
    /// Its bytes are not what its name says: it is damaged and must be fetched anew.
    #[error("blob {0} is damaged")]
    Damaged(BlobRef),
    /// The file system said no.
    #[error("cannot use {path}")]
    Failed {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// The blobs of a node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    limit_bytes: u64,
    next_temporary: AtomicU64,
    quota: Quota,
    others: peers::Others,
}

impl Blobs {
    /// Opens the folder, and removes what a death in the middle of a put has left.
    pub fn open(folder: PathBuf, limit_bytes: u64) -> Result<Self, BlobError> {
        let temporary = folder.join("tmp");
        make_folder(&folder)?;
        match fs::remove_dir_all(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&temporary, error));
            }
            Ok(()) | Err(_) => {}
        }
        make_folder(&temporary)?;
        // Who named a blob may have died before its name was durable: what is found here counts.
        for found in fs::read_dir(&folder).map_err(|error| failed(&folder, error))? {
            let path = found.map_err(|error| failed(&folder, error))?.path();
            if path.is_dir() {
                sync_folder(&path)?;
            }
        }
        sync_folder(&folder)?;
        Ok(Self(Arc::new(Inner {
            folder,
            limit_bytes,
            next_temporary: AtomicU64::new(0),
            quota: Quota::default(),
            others: peers::Others::default(),
        })))
    }

    /// Where a blob's file is, if it is here.
    pub fn path(&self, blob: &BlobRef) -> PathBuf {
        let name = blob.to_string();
        self.0.folder.join(&name[..2]).join(&name[2..])
    }

    /// Whether a blob is here.
    pub fn has(&self, blob: &BlobRef) -> bool {
        fs::metadata(self.path(blob)).is_ok_and(|file| file.len() == blob.bytes)
    }

    /// What is free on their disk.
    pub fn free_bytes(&self) -> Result<u64, BlobError> {
        let folder = &self.0.folder;
        let room =
            nix::sys::statvfs::statvfs(folder).map_err(|error| failed(folder, error.into()))?;
        Ok(room.blocks_available().saturating_mul(room.fragment_size()))
    }

    /// Lets all of them together take at most so much; 0 is as much as the disk holds.
    pub fn bound(&self, all_bytes: u64) {
        self.0.quota.bound(all_bytes);
    }

    /// What they take and may take together, where that is bounded and was counted.
    pub fn used(&self) -> Option<(u64, u64)> {
        self.0.quota.used()
    }

    /// Counts what they take, where that is bounded. Blocks for as long as a walk through all of them.
    pub fn count(&self) -> Result<(), BlobError> {
        self.0.quota.take(0, || sweep::count(&self.0.folder))
    }

    /// Makes a blob young again, so that no sweep takes it before an entry names it; says whether
    /// it did.
    pub(crate) fn keep_young(&self, blob: &BlobRef) -> bool {
        let now = TimeSpec::UTIME_NOW;
        let (here, how) = (nix::fcntl::AT_FDCWD, UtimensatFlags::NoFollowSymlink);
        utimensat(here, &self.path(blob), &now, &now, how).is_ok()
    }

    /// Begins a blob whose bytes come piece by piece. Blocks on the disk.
    pub fn writer(&self) -> Result<BlobWriter, BlobError> {
        let number = self.0.next_temporary.fetch_add(1, Ordering::Relaxed);
        let path = self.0.folder.join("tmp").join(number.to_string());
        let file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| self.failed(&path, error))?;
        Ok(BlobWriter {
            blobs: self.clone(),
            path,
            file,
            digest: Sha256::new(),
            bytes: 0,
        })
    }

    /// Keeps these bytes.
    pub async fn put_bytes(&self, bytes: Vec<u8>) -> Result<BlobRef, BlobError> {
        let blobs = self.clone();
        self.blocking(move || {
            let mut writer = blobs.writer()?;
            writer.write(&bytes)?;
            writer.finish()
        })
        .await
    }

    /// Keeps the bytes of a file, from where it stands to its end.
    pub async fn put_file(&self, mut file: File) -> Result<BlobRef, BlobError> {
        let blobs = self.clone();
        self.blocking(move || {
            let mut writer = blobs.writer()?;
            let mut chunk = vec![0; CHUNK_BYTES];
            loop {
                match file.read(&mut chunk) {
                    Ok(0) => return writer.finish(),
                    Ok(read) => writer.write(&chunk[..read])?,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(failed(&writer.path, error)),
                }
            }
        })
        .await
    }

    /// Opens a blob's file to be read piece by piece; whoever does compares its digest.
    pub fn file(&self, blob: &BlobRef) -> Result<File, BlobError> {
        let path = self.path(blob);
        File::open(&path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                BlobError::Absent(*blob)
            } else {
                failed(&path, error)
            }
        })
    }

    /// Reads a blob whole and compares it with its name; what is longer than `limit_bytes` is refused.
    pub async fn read_limited(
        &self,
        blob: &BlobRef,
        limit_bytes: u64,
    ) -> Result<Vec<u8>, BlobError> {
        let (blobs, blob) = (self.clone(), *blob);
        if blob.bytes > limit_bytes {
            return Err(BlobError::TooLarge { limit_bytes });
        }
        self.bring(&blob).await?;
        self.blocking(move || {
            let mut bytes = Vec::new();
            let file = blobs.file(&blob)?;
            file.take(blob.bytes + 1)
                .read_to_end(&mut bytes)
                .map_err(|error| failed(&blobs.path(&blob), error))?;
            let is_whole = bytes.len() as u64 == blob.bytes
                && <[u8; 32]>::from(Sha256::digest(&bytes)) == blob.sha256;
            if is_whole {
                Ok(bytes)
            } else {
                Err(BlobError::Damaged(blob))
            }
        })
        .await
    }

    /// Removes blobs that `is_named` does not know and that are older than `age`; says how many.
    pub async fn sweep(
        &self,
        is_named: impl Fn(&str) -> bool + Send + 'static,
        age: Duration,
    ) -> Result<u64, BlobError> {
        let blobs = self.clone();
        self.blocking(move || {
            let (removed, bytes) = sweep::sweep(&blobs.0.folder, is_named, age)?;
            blobs.0.quota.give_back(bytes);
            Ok(removed)
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
    ) -> Result<T, BlobError> {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(join) => Err(failed(&self.0.folder, io::Error::other(join))),
        }
    }

    fn failed(&self, path: &Path, error: io::Error) -> BlobError {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        if full.contains(&error.kind()) {
            let path = self.0.folder.clone();
            return BlobError::NoRoom { path };
        }
        failed(path, error)
    }
}

/// A blob whose bytes are still coming; dropped, it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    blobs: Blobs,
    path: PathBuf,
    file: File,
    digest: Sha256,
    bytes: u64,
}

impl BlobWriter {
    /// Adds a piece. Blocks on the disk.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), BlobError> {
        let limit_bytes = self.blobs.0.limit_bytes;
        if self.bytes.saturating_add(piece.len() as u64) > limit_bytes {
            return Err(BlobError::TooLarge { limit_bytes });
        }
        if self.bytes.is_multiple_of(1 << 20) {
            self.check_room()?;
        }
        self.file
            .write_all(piece)
            .map_err(|error| self.blobs.failed(&self.path, error))?;
        self.digest.update(piece);
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// Makes it durable if its bytes are those that the name says. Blocks on the disk.
    pub fn finish_as(self, expected: &BlobRef) -> Result<(), BlobError> {
        let sha256 = <[u8; 32]>::from(self.digest.clone().finalize());
        if sha256 != expected.sha256 || self.bytes != expected.bytes {
            return Err(BlobError::Damaged(*expected));
        }
        self.finish().map(drop)
    }

    /// Makes it durable under its name. Blocks on the disk.
    pub fn finish(self) -> Result<BlobRef, BlobError> {
        let sha256 = <[u8; 32]>::from(self.digest.clone().finalize());
        let blob = BlobRef {
            sha256,
            bytes: self.bytes,
        };
        let path = self.blobs.path(&blob);
        if self.blobs.has(&blob) && self.blobs.keep_young(&blob) {
            return Ok(blob);
        }
        let quota = &self.blobs.0.quota;
        quota.take(blob.bytes, || sweep::count(&self.blobs.0.folder))?;
        let named = self.name(&path);
        if named.is_err() {
            quota.give_back(blob.bytes);
        }
        named.map(|()| blob)
    }

    fn name(&self, path: &Path) -> Result<(), BlobError> {
        let fail = |error| self.blobs.failed(path, error);
        self.file.sync_all().map_err(fail)?;
        let folder = path.parent().unwrap_or(&self.blobs.0.folder);
        if !folder.is_dir() {
            make_folder(folder)?;
            sync_folder(&self.blobs.0.folder)?;
        }
        fs::rename(&self.path, path).map_err(fail)?;
        // A name that the disk refused is not left for the next one who asks whether it is here.
        sync_folder(folder).inspect_err(|_| drop(fs::remove_file(path)))
    }

    fn check_room(&self) -> Result<(), BlobError> {
        if self.blobs.free_bytes()? < RESERVE_BYTES {
            return Err(BlobError::NoRoom {
                path: self.blobs.0.folder.clone(),
            });
        }
        Ok(())
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        // After a rename there is nothing under this name; and what stays is removed at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

fn make_folder(path: &Path) -> Result<(), BlobError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| failed(path, error))
}

fn sync_folder(path: &Path) -> Result<(), BlobError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| failed(path, error))
}

fn failed(path: &Path, source: io::Error) -> BlobError {
    BlobError::Failed {
        path: path.to_path_buf(),
        source,
    }
}
