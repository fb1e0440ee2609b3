//! Taking away the blobs that nothing names any more.
//!
//! # Invariant
//! A blob that was put, or put again, less than the given time ago is never removed: the entry
//! that will name it may be on its way.
//!
//! # Why
//! A file's age is told by the wall clock, which jumps; so blobs that came in this process are aged
//! by the boot clock, and those from before it only after the process has run for a while.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use rules::id::BlobRef;

use super::{BlobError, Blobs, Inner, blocking};
use crate::clock::{self, BootMs};

/// How long after a start a blob from before it is left alone: longer than any put takes whose entry
/// another node still has to propose.
pub const GRACE: Duration = Duration::from_mins(10);

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs that are left.
    pub kept: u64,
    /// Their bytes.
    pub kept_bytes: u64,
    /// Blobs that were removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
}

impl Blobs {
    /// Removes what `named` does not name and was last put longer than `older_than` ago.
    pub async fn sweep(
        &self,
        named: impl Fn(&BlobRef) -> bool + Send + 'static,
        older_than: Duration,
    ) -> Result<Swept, BlobError> {
        let blobs = self.clone();
        blocking(move || {
            blobs
                .0
                .sweep(&named, older_than)
                .map_err(|error| blobs.0.failed("sweep the blobs", error))
        })
        .await
    }
}

impl Inner {
    fn sweep(&self, named: &dyn Fn(&BlobRef) -> bool, older_than: Duration) -> io::Result<Swept> {
        let mut swept = Swept::default();
        for folder in fs::read_dir(&self.dir)? {
            let folder = folder?;
            let prefix = folder.file_name();
            let Some(prefix) = prefix.to_str().filter(|name| name.len() == 2) else {
                continue;
            };
            for file in fs::read_dir(folder.path())? {
                self.sweep_file(prefix, &file?, named, older_than, &mut swept)?;
            }
        }
        self.forget_old(older_than);
        Ok(swept)
    }

    fn sweep_file(
        &self,
        prefix: &str,
        file: &fs::DirEntry,
        named: &dyn Fn(&BlobRef) -> bool,
        older_than: Duration,
        swept: &mut Swept,
    ) -> io::Result<()> {
        // Held while one file is looked at, so that no put answers with a file that goes away.
        let settling = self.settling();
        let bytes = match file.metadata() {
            Ok(said) => said.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let blob = file
            .file_name()
            .to_str()
            .and_then(|rest| named_by(&format!("{prefix}{rest}")))
            .map(|sha256| BlobRef { sha256, bytes });
        let is_wanted =
            blob.is_some_and(|blob| settling.names.contains(&blob.sha256) || named(&blob));
        let put = blob.and_then(|blob| settling.put.get(&blob.sha256).copied());
        if is_wanted || !self.is_old(put, &file.path(), older_than) {
            (swept.kept, swept.kept_bytes) = (swept.kept + 1, swept.kept_bytes + bytes);
            return Ok(());
        }
        fs::remove_file(file.path())?;
        (swept.removed, swept.removed_bytes) = (swept.removed + 1, swept.removed_bytes + bytes);
        Ok(())
    }

    fn is_old(&self, put: Option<BootMs>, path: &Path, older_than: Duration) -> bool {
        let now = clock::boot();
        if let Some(put) = put {
            return now.since(put) >= older_than;
        }
        let written_ms = fs::metadata(path)
            .and_then(|said| said.modified())
            .ok()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
            .map_or(u128::MAX, |at| at.as_millis());
        let age_ms = u128::from(clock::wall().0).saturating_sub(written_ms);
        now.since(self.opened) >= GRACE.min(older_than) && age_ms >= older_than.as_millis()
    }

    fn forget_old(&self, older_than: Duration) {
        let now = clock::boot();
        let put: &mut BTreeMap<_, BootMs> = &mut self.settling().put;
        put.retain(|_, put| now.since(*put) < older_than);
    }
}

/// The digest that a file's name spells; none for a file that was set aside.
fn named_by(name: &str) -> Option<[u8; 32]> {
    let mut sha256 = [0; 32];
    if name.len() != 64 || !name.is_ascii() {
        return None;
    }
    for (byte, place) in sha256.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&name[place..place + 2], 16).ok()?;
    }
    Some(sha256)
}
