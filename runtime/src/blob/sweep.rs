//! Goes through the blobs: removes those that nothing names any more, counts what they take.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use super::{BlobError, failed};
use crate::clock;

/// Removes what `is_named` does not know and is older than `age`; says how many, and what they took.
pub(super) fn sweep(
    folder: &Path,
    is_named: impl Fn(&str) -> bool,
    age: Duration,
) -> Result<(u64, u64), BlobError> {
    let now_s = clock::wall().0 / 1000;
    let oldest = i64::try_from(now_s.saturating_sub(age.as_secs())).unwrap_or(i64::MAX);
    let (mut removed, mut bytes) = (0, 0);
    each(folder, |name, file, meta| {
        // Seconds of the wall clock on both sides: a day's age bears a clock that is an hour off.
        if meta.mtime() <= oldest && !is_named(name) {
            fs::remove_file(file).map_err(|error| failed(file, error))?;
            (removed, bytes) = (removed + 1, bytes + meta.len());
        }
        Ok(())
    })?;
    Ok((removed, bytes))
}

/// What all of them take.
pub(super) fn count(folder: &Path) -> Result<u64, BlobError> {
    let mut bytes = 0;
    each(folder, |_, _, meta| {
        bytes += meta.len();
        Ok(())
    })?;
    Ok(bytes)
}

/// Calls `see` with the name, the path and what is known of each blob.
fn each(
    folder: &Path,
    mut see: impl FnMut(&str, &Path, &Metadata) -> Result<(), BlobError>,
) -> Result<(), BlobError> {
    let list = |path: &Path| fs::read_dir(path).map_err(|error| failed(path, error));
    for part in list(folder)?.flatten() {
        let prefix = part.file_name().to_string_lossy().into_owned();
        if prefix.len() != 2 {
            continue;
        }
        for file in list(&part.path())?.flatten() {
            let name = format!("{prefix}{}", file.file_name().to_string_lossy());
            // One that goes meanwhile is gone.
            if let Ok(meta) = file.metadata() {
                see(&name, &file.path(), &meta)?;
            }
        }
    }
    Ok(())
}
