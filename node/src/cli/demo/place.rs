//! Where the demo's node lives: the first temporary folder that can be written to and is short enough.
//!
//! # Why
//! A home may be read-only, and a socket's path has 107 bytes; whichever folder it is, it is one that
//! every Linux has.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::geteuid;
use tempfile::TempDir;

use crate::cli::stop::Stop;

/// The longest path below which all sockets of a node and its agents fit.
const LONGEST_PATH_BYTES: usize = 60;

/// Makes a new folder.
pub(super) fn make() -> Result<TempDir, Stop> {
    let mut tried = Vec::new();
    for folder in candidates() {
        let runs_nothing = statvfs(&folder).is_ok_and(|at| at.flags().contains(FsFlags::ST_NOEXEC));
        let made = if runs_nothing {
            Err(std::io::Error::other("programs cannot run from there"))
        } else if folder.as_os_str().len() > LONGEST_PATH_BYTES {
            Err(std::io::Error::other("its path is too long for a socket"))
        } else {
            tempfile::Builder::new()
                .prefix("domo-demo-")
                .tempdir_in(&folder)
        };
        match made.and_then(opened) {
            Ok(made) => return Ok(made),
            Err(error) => tried.push(format!("{} ({error})", folder.display())),
        }
    }
    Err(Stop::mend(
        format!("no temporary folder can be used: {}", tried.join(", ")),
        "make one of them writable, or name another with TMPDIR",
    ))
}

/// Lets agents that have users of their own, as root gives them, through to their folders.
fn opened(made: TempDir) -> std::io::Result<TempDir> {
    if geteuid().is_root() {
        std::fs::set_permissions(made.path(), std::fs::Permissions::from_mode(0o711))?;
    }
    Ok(made)
}

fn candidates() -> Vec<PathBuf> {
    let mut folders = vec![std::env::temp_dir()];
    for usual in ["/tmp", "/var/tmp", "/dev/shm"] {
        folders.push(PathBuf::from(usual));
    }
    folders.extend(std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from));
    folders.retain(|folder| folder.is_absolute());
    folders
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_PATH_BYTES, make};

    #[test]
    fn the_folder_is_short_and_goes_with_its_owner() {
        let made = make().unwrap();
        let path = made.path().to_owned();
        assert!(path.is_dir());
        assert!(
            path.as_os_str().len() <= LONGEST_PATH_BYTES + 20,
            "{}",
            path.display()
        );
        drop(made);
        assert!(!path.exists());
    }
}
