//! What an attempt has left on the disk, counted without trusting whoever wrote it.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::beneath::{Folder, Kind};

/// Folders within each other that are looked into; what lies deeper is not counted.
const DEPTH: usize = 32;
/// Entries that are looked at; of more, the rest is not counted.
const ENTRIES: usize = 100_000;
/// What the system counts blocks in.
const BLOCK_BYTES: u64 = 512;

/// What a folder takes with all that is in it; nothing where there is none.
pub(super) fn of(path: &Path) -> io::Result<u64> {
    match Folder::open(path) {
        Ok(folder) => within(&folder, DEPTH, &mut { ENTRIES }),
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn within(folder: &Folder, depth: usize, entries: &mut usize) -> io::Result<u64> {
    let mut names: Vec<OsString> = Vec::new();
    folder.each(|name| {
        names.push(name.to_owned());
        names.len() < *entries
    })?;
    *entries = entries.saturating_sub(names.len());
    let mut bytes = 0;
    for name in names {
        // What goes meanwhile takes nothing.
        let Ok(seen) = folder.look(&name) else {
            continue;
        };
        bytes += u64::try_from(seen.st_blocks).unwrap_or(0) * BLOCK_BYTES;
        if Kind::of(&seen) == Kind::Folder
            && depth > 0
            && let Ok(below) = folder.enter(&name)
        {
            bytes += within(&below, depth - 1, entries)?;
        }
    }
    Ok(bytes)
}
