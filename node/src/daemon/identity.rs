//! Who this node is, kept in its data folder: cluster, number, and which start this is.
//!
//! # Invariant
//! A data folder is used by one daemon at a time, and each start has a greater number than all
//! before it, on the disk before anything else is done.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::unistd::geteuid;
use runtime::clock;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The file that says who the node is.
const FILE: &str = "node.json";
/// The file whose lock says that a daemon uses the folder.
const LOCK: &str = "lock";
/// A folder that only its owner enters.
const CLOSED: u32 = 0o700;
/// A folder that others pass without seeing what is in it: root's agents can have users of their own,
/// who must reach their boxes below it.
const PASSABLE: u32 = 0o711;
/// What in a data folder is nobody else's.
const PRIVATE: [&str; 2] = ["ledger", "blobs"];

/// What stands in the way of using a data folder.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// Another daemon uses it: end that one, or choose another folder.
    #[error(
        "another daemon uses the data folder {0}; stop it first, or choose another with --data"
    )]
    InUse(PathBuf),
    /// The file that says who the node is cannot be read: it is damaged.
    #[error(
        "{path} does not say who this node is ({why}); restore it from a backup, or begin with an empty data folder"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The folder is another node's.
    #[error(
        "the data folder {path} belongs to node {found}, the settings say node {asked} (node.id)"
    )]
    OtherNode {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        found: u64,
        /// Whose it should be.
        asked: u64,
    },
    /// The file system said no.
    #[error("cannot use {path}")]
    Failed {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    cluster: String,
    node: u64,
    incarnation: u64,
}

/// Who this node is; while it is held, no other daemon uses the folder.
#[derive(Debug)]
pub struct Identity {
    /// The cluster's unique name.
    pub cluster: String,
    /// The node's number.
    pub node: u64,
    /// Which start of the daemon this is, from 1.
    pub incarnation: u64,
    _lock: Flock<File>,
}

/// How long a daemon that was just told to end, or killed, is waited for: its memory goes first.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Time between two looks whether it has gone.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Takes a data folder into use; a daemon that is about to leave it is waited for.
pub async fn take_when_free(folder: &Path, node: u64) -> Result<Identity, IdentityError> {
    let deadline = clock::Deadline::after(LOCK_WAIT);
    loop {
        match take(folder, node) {
            Err(IdentityError::InUse(_)) if !deadline.is_over() => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            taken => return taken,
        }
    }
}

/// Makes the data folder, and in it closed ones for what nobody else may read.
fn make_folders(folder: &Path) -> io::Result<()> {
    let mode = if geteuid().is_root() {
        PASSABLE
    } else {
        CLOSED
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder)?;
    for private in PRIVATE {
        match fs::DirBuilder::new()
            .mode(CLOSED)
            .create(folder.join(private))
        {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Takes a data folder into use, making it where it is not there.
pub fn take(folder: &Path, node: u64) -> Result<Identity, IdentityError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| IdentityError::Failed { path, source }
    };
    make_folders(folder).map_err(failed(folder))?;
    let lock_path = folder.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&lock_path)
        .map_err(failed(&lock_path))?;
    let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|_| IdentityError::InUse(folder.to_path_buf()))?;
    let path = folder.join(FILE);
    let mut kept = match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str::<Kept>(&text).map_err(|why| IdentityError::Damaged {
            path: path.clone(),
            why: why.to_string(),
        })?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Wide enough that no two clusters on one engine meet.
            let random: u64 = rand::random();
            let cluster = format!("{random:016x}");
            Kept {
                version: 1,
                cluster,
                node,
                incarnation: 0,
            }
        }
        Err(source) => return Err(IdentityError::Failed { path, source }),
    };
    if kept.node != node {
        let path = folder.to_path_buf();
        return Err(IdentityError::OtherNode {
            path,
            found: kept.node,
            asked: node,
        });
    }
    kept.incarnation += 1;
    write(folder, &path, &kept).map_err(failed(&path))?;
    let Kept {
        cluster,
        incarnation,
        ..
    } = kept;
    Ok(Identity {
        cluster,
        node,
        incarnation,
        _lock: lock,
    })
}

/// Writes it whole or not at all.
fn write(folder: &Path, path: &Path, kept: &Kept) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(&serde_json::to_vec_pretty(kept)?)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_is_counted_and_the_cluster_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let first = take(folder.path(), 1).unwrap();
        let cluster = first.cluster.clone();
        assert_eq!(first.incarnation, 1);
        drop(first);
        let second = take(folder.path(), 1).unwrap();
        assert_eq!((second.incarnation, second.cluster), (2, cluster));
    }

    #[test]
    fn a_folder_in_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let _held = take(folder.path(), 1).unwrap();
        assert!(matches!(
            take(folder.path(), 1),
            Err(IdentityError::InUse(_))
        ));
    }

    #[test]
    fn the_folder_of_another_node_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(take(folder.path(), 1).unwrap());
        let refused = take(folder.path(), 2);
        assert!(matches!(
            refused,
            Err(IdentityError::OtherNode {
                found: 1,
                asked: 2,
                ..
            })
        ));
    }

    #[test]
    fn half_a_file_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{\"version\":1,").unwrap();
        let refused = take(folder.path(), 1).unwrap_err().to_string();
        assert!(refused.contains("node.json"), "{refused}");
    }
}
