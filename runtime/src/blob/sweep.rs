//! Removes blobs that nothing names any more.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use super::{BlobError, failed};
use crate::clock;

/// Removes what `is_named` does not know and is older than `age`; says how many.
pub(super) fn sweep(
    folder: &Path,
    is_named: impl Fn(&str) -> bool,
    age: Duration,
) -> Result<u64, BlobError> {
    let list = |path: &Path| fs::read_dir(path).map_err(|error| failed(path, error));
    let now_s = clock::wall().0 / 1000;
    let oldest = i64::try_from(now_s.saturating_sub(age.as_secs())).unwrap_or(i64::MAX);
    let mut removed = 0;
    for part in list(folder)?.flatten() {
        let prefix = part.file_name().to_string_lossy().into_owned();
        if prefix.len() != 2 {
            continue;
        }
        for file in list(&part.path())?.flatten() {
            let name = format!("{prefix}{}", file.file_name().to_string_lossy());
            // Seconds of the wall clock on both sides: a day's age bears a clock that is an hour off.
            let is_old = file.metadata().is_ok_and(|meta| meta.mtime() <= oldest);
            if is_old && !is_named(&name) {
                fs::remove_file(file.path()).map_err(|error| failed(&file.path(), error))?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}
