//! How much an attempt has written into its folders.
//!
//! # Why
//!
//! There is no quota that every file system and every user has, so init looks from time to time;
//! an attempt can be over its limit for at most one such while, and each file only by the size
//! limit of files.

use std::ffi::OsString;

use crate::spool::{Folder, Kind};

/// Deepest nesting that is walked; more is over the limit by itself.
const DEPTH_LIMIT: usize = 32;

/// What lies in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) bytes: u64,
    pub(super) entries: u64,
    /// Length of the largest file.
    pub(super) largest_file: u64,
    /// There is more, deeper down than anyone looks.
    pub(super) is_too_deep: bool,
}

impl Measured {
    /// Adds what lies below `folder`; gives up once there is more than the limits, and leaves out
    /// what cannot be opened.
    pub(super) fn add(&mut self, folder: &Folder, limits: (u64, u64)) {
        self.walk(folder, limits, 0);
    }

    pub(super) fn is_over(&self, (bytes, entries): (u64, u64)) -> bool {
        self.is_too_deep || self.bytes > bytes || self.entries > entries
    }

    /// Recursion is bounded by [`DEPTH_LIMIT`].
    fn walk(&mut self, folder: &Folder, limits: (u64, u64), depth: usize) {
        if depth > DEPTH_LIMIT {
            self.is_too_deep = true;
            return;
        }
        let mut folders: Vec<OsString> = Vec::new();
        // What cannot be listed cannot be handed on either.
        let _ = folder.each(|name| {
            self.entries += 1;
            if let Ok(stat) = folder.look(name) {
                let size = u64::try_from(stat.st_size).unwrap_or(0);
                let held = u64::try_from(stat.st_blocks)
                    .unwrap_or(0)
                    .saturating_mul(512);
                // A sparse file weighs what it would weigh as a copy.
                let kind = Kind::of(&stat);
                self.bytes += if kind == Kind::File {
                    self.largest_file = self.largest_file.max(size);
                    size.max(held)
                } else {
                    held
                };
                if kind == Kind::Folder {
                    folders.push(name.to_owned());
                }
            }
            !self.is_over(limits)
        });
        for name in folders {
            if self.is_over(limits) {
                return;
            }
            if let Ok(inner) = folder.enter(&name) {
                self.walk(&inner, limits, depth + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn measured(folder: &std::path::Path, limits: (u64, u64)) -> Measured {
        let mut measured = Measured::default();
        measured.add(&Folder::open(folder).unwrap(), limits);
        measured
    }

    #[test]
    fn a_sparse_file_weighs_its_length_and_a_link_nothing_of_its_target() {
        let home = tempfile::tempdir().unwrap();
        fs::File::create(home.path().join("big"))
            .unwrap()
            .set_len(1 << 30)
            .unwrap();
        std::os::unix::fs::symlink("/usr", home.path().join("link")).unwrap();
        let limits = (1 << 40, 100);
        let found = measured(home.path(), limits);
        assert_eq!((found.bytes >> 20, found.entries), (1 << 10, 2));
        assert!(!found.is_over(limits));
        assert!(found.is_over((1 << 20, 100)));
    }

    #[test]
    fn many_entries_and_deep_nesting_are_over_the_limit() {
        let home = tempfile::tempdir().unwrap();
        let deep = home.path().join(vec!["d"; 40].join("/"));
        fs::create_dir_all(deep).unwrap();
        assert!(measured(home.path(), (1 << 40, 1 << 40)).is_too_deep);
        let wide = tempfile::tempdir().unwrap();
        for name in 0..20 {
            fs::write(wide.path().join(name.to_string()), "").unwrap();
        }
        let found = measured(wide.path(), (1 << 40, 10));
        assert!(
            found.is_over((1 << 40, 10)) && found.entries == 11,
            "{found:?}"
        );
    }
}
