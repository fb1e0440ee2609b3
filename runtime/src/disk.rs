//! What a disk holds and says: its files, how much room it has, and what its refusals mean.
//!
//! # Why
//! The ledger's files go through here and not through `std::fs`, so that a simulation can have a disk
//! that forgets what was not synced.

mod file;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::statvfs::statvfs;

pub use file::{Bytes, File, OpenOptions};

use crate::world::stand_in;

/// Bytes that are free for this process on the disk that holds `path`.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    if let Some(world) = stand_in() {
        return world.free_bytes();
    }
    let said = statvfs(path).map_err(io::Error::from)?;
    Ok(said.blocks_available().saturating_mul(said.fragment_size()))
}

/// Makes a folder and those that it lies in.
pub fn make_folders(folder: &Path) -> io::Result<()> {
    if stand_in().is_some() {
        // Folders are names of files there.
        return Ok(());
    }
    fs::create_dir_all(folder)
}

/// Makes the names in a folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    match stand_in() {
        Some(world) => world.sync_folder(folder),
        None => fs::File::open(folder)?.sync_all(),
    }
}

/// What lies in a folder, in no order.
pub fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if let Some(world) = stand_in() {
        return world.list(folder);
    }
    fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect()
}

/// All bytes of a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut File::open(path)?, &mut bytes)?;
    Ok(bytes)
}

/// All of a file that holds text.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Gives a file another name, whatever had it before.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match stand_in() {
        Some(world) => world.rename(from, to),
        None => fs::rename(from, to),
    }
}

/// Takes a file away.
pub fn remove(path: &Path) -> io::Result<()> {
    match stand_in() {
        Some(world) => world.remove(path),
        None => fs::remove_file(path),
    }
}

/// Forgets what the kernel believes that a file holds, so that the disk is asked again.
///
/// After an fsync that failed, the kernel holds pages that the disk never got and calls them clean.
pub fn forget_cached(file: &fs::File) -> io::Result<()> {
    posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).map_err(io::Error::from)
}

/// Whether the disk, or this process's share of it, is full.
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Whether the disk takes no writes at all.
pub fn is_read_only(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ReadOnlyFilesystem
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn a_disk_says_how_much_is_free() {
        assert!(free_bytes(Path::new("/")).unwrap() > 0);
        assert!(free_bytes(Path::new("/there/is/no/such/folder")).is_err());
    }

    #[test]
    fn a_full_disk_and_a_read_only_one_are_told_apart() {
        let full = io::Error::from(Errno::ENOSPC);
        let read_only = io::Error::from(Errno::EROFS);
        assert!(is_full(&full) && !is_read_only(&full));
        assert!(is_read_only(&read_only) && !is_full(&read_only));
    }
}
