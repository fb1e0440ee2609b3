//! Erasing the salts of records: the digests of their texts stay, and say nothing any more.
//!
//! # Invariant
//! Nothing else of a file changes, so its chain verifies as before; a file is replaced as a whole, by
//! rename, so that a death leaves the old one or the new one.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use rules::id::CaseId;

use super::line::{ERASED, Kept, hex};
use super::read::Told;
use super::{Audit, DAMAGED, segment};
use crate::disk;

/// What a file is called while salts are erased in it.
const ERASING: &str = "erasing";
/// What a line that may speak of a case has in it.
const SPEAKS: &str = "\"cases\":[";

impl Audit {
    /// Erases the salts of all records that speak of these cases; says of how many. Blocks.
    pub fn erase(&self, cases: &BTreeSet<CaseId>) -> io::Result<u64> {
        if cases.is_empty() {
            return Ok(0);
        }
        self.sync()?;
        let names: BTreeSet<String> = cases.iter().map(ToString::to_string).collect();
        let mut paths: Vec<PathBuf> = self.files().into_iter().map(|file| file.path).collect();
        for path in disk::list(&self.dir)? {
            if path.extension().is_some_and(|ending| ending == DAMAGED) {
                paths.push(path);
            }
        }
        let mut erased = 0;
        for path in paths {
            // The first look needs no lock: most files speak of none of them.
            if without_salts(&path, &names)?.is_some() {
                erased += self.replace(&path, &names)?;
            }
        }
        Ok(erased)
    }

    fn replace(&self, path: &Path, names: &BTreeSet<String>) -> io::Result<u64> {
        let mut files = self.locked();
        files.write()?;
        let Some((text, erased)) = without_salts(path, names)? else {
            return Ok(0);
        };
        segment::put(path, ERASING, &text)?;
        for growing in &mut files.growing {
            if growing.path == path {
                // What it had open has no name any more.
                growing.file = None;
            }
        }
        Ok(erased)
    }
}

/// The bytes of a file with the salts of those records erased, and of how many; none where it has none.
fn without_salts(path: &Path, names: &BTreeSet<String>) -> io::Result<Option<(Vec<u8>, u64)>> {
    let mut bytes = disk::read(path)?;
    let mut places: Vec<usize> = Vec::new();
    let mut offset = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = std::str::from_utf8(line).unwrap_or_default();
        if let Some(salt) = salt_of(text.trim_end_matches('\n'), names) {
            places.push(offset + salt);
        }
        offset += line.len();
    }
    for place in &places {
        bytes[*place..*place + ERASED.len()].copy_from_slice(ERASED.as_bytes());
    }
    Ok((!places.is_empty()).then_some((bytes, places.len() as u64)))
}

/// Where in its line the salt of a record stands that speaks of one of these cases, and is there.
fn salt_of(line: &str, names: &BTreeSet<String>) -> Option<usize> {
    if !line.contains(SPEAKS) {
        return None;
    }
    let kept = Kept::read(line)?;
    let salt = hex(&kept.salt?);
    let told = Told::read(kept.record)?;
    let cases = told.subjects.get("cases")?;
    let speaks = cases.iter().any(|case| names.contains(case));
    speaks.then(|| line.find(&salt)).flatten()
}
