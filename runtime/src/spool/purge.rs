//! Removing a folder that a stranger filled, whatever he did to make that hard.
//!
//! # Invariant
//!
//! Uses three descriptors and no recursion, however deep the folders are nested; follows no link.
//!
//! # Why
//!
//! The standard library's `remove_dir_all` holds a descriptor per level and fails with too many
//! open files on a folder nested a few thousand deep, which one line of shell makes. Here each
//! folder found is moved up to the top under a fresh name, so nothing is ever deeper than two.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use nix::fcntl::{AtFlags, renameat};
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::beneath::{Folder, Kind};

/// How often a folder is emptied that someone still writes into.
const ROUNDS: usize = 100;
/// Names that are read before they are worked off: bounds memory in a folder of millions.
const BATCH: usize = 4_096;

/// Removes the folder at `path` with all that is in it; an absent one is already removed.
///
/// # Errors
/// The first thing that could not be removed.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let top = match Folder::open(path) {
        Ok(top) => top,
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(()),
        // No folder: a link to one, or a file.
        Err(other) if path.symlink_metadata().is_ok_and(|seen| !seen.is_dir()) => {
            return fs::remove_file(path).map_err(|_| other);
        }
        Err(other) => return Err(other),
    };
    let mut fresh = 0_u64;
    for _ in 0..ROUNDS {
        loop {
            let names = batch(&top)?;
            if names.is_empty() {
                break;
            }
            for name in names {
                if is_folder(&top, &name)? {
                    empty(&top, &name, &mut fresh)?;
                    gone(unlinkat(&top, name.as_os_str(), UnlinkatFlags::RemoveDir))?;
                } else {
                    gone(unlinkat(&top, name.as_os_str(), UnlinkatFlags::NoRemoveDir))?;
                }
            }
        }
        match fs::remove_dir(path) {
            Err(grown) if grown.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => return other,
        }
    }
    Err(io::ErrorKind::DirectoryNotEmpty.into())
}

/// Empties the folder `name` below `top`: files go, folders move up into `top`.
fn empty(top: &Folder, name: &OsString, fresh: &mut u64) -> io::Result<()> {
    let folder = match top.enter(name) {
        Err(nix::Error::EACCES) => {
            unlock(top, name)?;
            top.enter(name)?
        }
        other => other?,
    };
    loop {
        let names = batch(&folder)?;
        if names.is_empty() {
            return Ok(());
        }
        for inner in names {
            if is_folder(&folder, &inner)? {
                lift(&folder, &inner, top, fresh)?;
            } else {
                gone(unlinkat(
                    &folder,
                    inner.as_os_str(),
                    UnlinkatFlags::NoRemoveDir,
                ))?;
            }
        }
    }
}

/// Is it a folder? What is no longer there is none.
fn is_folder(folder: &Folder, name: &OsString) -> nix::Result<bool> {
    match folder.look(name) {
        Ok(stat) => Ok(Kind::of(&stat) == Kind::Folder),
        Err(nix::Error::ENOENT) => Ok(false),
        Err(other) => Err(other),
    }
}

/// What someone else has removed, or a folder that someone has written into, is seen to later.
fn gone(removed: nix::Result<()>) -> nix::Result<()> {
    match removed {
        Err(nix::Error::ENOENT | nix::Error::ENOTEMPTY) => Ok(()),
        other => other,
    }
}

/// Moves the folder `inner` up into `top` under a name that is free there.
fn lift(folder: &Folder, inner: &OsString, top: &Folder, fresh: &mut u64) -> io::Result<()> {
    loop {
        *fresh += 1;
        let name = OsString::from(format!(".removed-{fresh}"));
        let is_free = nix::sys::stat::fstatat(top, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW);
        if is_free == Err(nix::Error::ENOENT) {
            let lifted = renameat(folder, inner.as_os_str(), top, name.as_os_str());
            if lifted == Err(nix::Error::EACCES) {
                // Moving a folder rewrites its `..`, which asks for the right to write into it.
                unlock(folder, inner)?;
                renameat(folder, inner.as_os_str(), top, name.as_os_str())?;
                return Ok(());
            }
            return Ok(lifted?);
        }
    }
}

/// Gives the owner his rights on a folder back, when he had taken them from himself.
fn unlock(parent: &Folder, name: &OsString) -> nix::Result<()> {
    fchmodat(
        parent,
        name.as_os_str(),
        Mode::S_IRWXU,
        FchmodatFlags::FollowSymlink,
    )
}

fn batch(folder: &Folder) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    folder.each(|name| {
        names.push(name.to_owned());
        names.len() < BATCH
    })?;
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_folder_nested_deeper_than_descriptors_allow_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let top = home.path().join("top");
        fs::create_dir(&top).unwrap();
        let mut at = Folder::open(&top).unwrap();
        for _ in 0..3_000 {
            nix::sys::stat::mkdirat(&at, "d", Mode::S_IRWXU).unwrap();
            at = at.enter("d".as_ref()).unwrap();
        }
        drop(at);
        remove_tree(&top).unwrap();
        assert!(!top.exists());
    }

    #[test]
    fn links_are_removed_and_not_followed_and_locked_folders_go_too() {
        let home = tempfile::tempdir().unwrap();
        let keep = home.path().join("keep");
        fs::write(&keep, "x").unwrap();
        let top = home.path().join("top");
        fs::create_dir_all(top.join("a/b/c")).unwrap();
        symlink(home.path(), top.join("out")).unwrap();
        symlink(&keep, top.join("a/b/link")).unwrap();
        fs::write(top.join("a/b/c/.removed-1"), "x").unwrap();
        fs::set_permissions(top.join("a/b"), fs::Permissions::from_mode(0o0)).unwrap();
        remove_tree(&top).unwrap();
        assert!(!top.exists());
        assert!(keep.exists());
        remove_tree(&top).unwrap();
        symlink(home.path(), &top).unwrap();
        remove_tree(&top).unwrap();
        assert!(keep.exists() && top.symlink_metadata().is_err());
    }
}
