//! The disk is filled: a file takes what is free in the data folder, but for what is to be left.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;
use nix::unistd::geteuid;

use crate::chaos::orders::Orders;

pub(super) fn check(orders: &Orders, left_bytes: u64) -> Result<(), String> {
    let free = free_bytes(&orders.data)?;
    if free < left_bytes {
        return Err(format!("only {} KiB are free already", free >> 10));
    }
    Ok(())
}

/// Fills the disk; what others write meanwhile may have come first.
pub(super) fn make(filler: &Path, left_bytes: u64) -> Result<(), String> {
    let shown = |error: &dyn std::fmt::Display| format!("{}: {error}", filler.display());
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(filler)
        .map_err(|error| shown(&error))?;
    let bytes = free_bytes(filler)?.saturating_sub(left_bytes);
    let bytes = i64::try_from(bytes).map_err(|error| shown(&error))?;
    if bytes == 0 {
        return Ok(());
    }
    posix_fallocate(&file, 0, bytes).map_err(|error| shown(&error))
}

/// What the node can still write; root may take what is kept back for it.
fn free_bytes(path: &Path) -> Result<u64, String> {
    let disk = statvfs(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let blocks = if geteuid().is_root() {
        disk.blocks_free()
    } else {
        disk.blocks_available()
    };
    Ok(blocks.saturating_mul(disk.fragment_size()))
}
