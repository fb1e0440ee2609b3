//! What a disk says: how much room it has, and what its refusals mean.

use std::fs::File;
use std::io;
use std::path::Path;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::statvfs::statvfs;

/// Bytes that are free for this process on the disk that holds `path`.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let said = statvfs(path).map_err(io::Error::from)?;
    Ok(said.blocks_available().saturating_mul(said.fragment_size()))
}

/// Makes the names in a folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Forgets what the kernel believes that a file holds, so that the disk is asked again.
///
/// After an fsync that failed, the kernel holds pages that the disk never got and calls them clean.
pub fn forget_cached(file: &File) -> io::Result<()> {
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
