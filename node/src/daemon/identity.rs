//! Who this node is, kept in its data folder: cluster, number, and which start this is.
//!
//! # Invariant
//! A data folder is used by one daemon at a time, and each start has a greater number than all
//! before it, on the disk before anything else is done.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::settings::ClusterSettings;
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
const PRIVATE: [&str; 6] = ["ledger", "blobs", "keys", "secrets", "audit", "notary"];

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
    /// The folder belongs to a node already: take another folder, or go on with this one.
    #[error("{path} is the data folder of node {node} of cluster {cluster}; choose an empty one")]
    Taken {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        node: u64,
        /// Of which cluster.
        cluster: String,
    },
    /// The folder holds something: take another folder, or empty this one.
    #[error("{0} is not empty; name a new folder")]
    NotEmpty(PathBuf),
    /// The folder is no node's: name the one that is.
    #[error("{0} is no node's data folder; name the one of the node that is left")]
    Nobodys(PathBuf),
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
    /// Where other nodes find it; none for a cluster of one without links.
    #[serde(default)]
    home: Option<Home>,
}

/// Where a node is found by others, and where it found them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Home {
    /// What it is called.
    pub name: String,
    /// Where it listens for other nodes.
    pub listen: SocketAddr,
    /// Where others reach it, `host:port`.
    pub advertise: String,
    /// Whether it founded the cluster.
    pub is_founder: bool,
    /// The nodes that it knew when it joined, `host:port`.
    pub peers: BTreeMap<u64, String>,
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
    /// Where it is found; none for a cluster of one without links.
    pub home: Option<Home>,
    _lock: Flock<File>,
}

impl Identity {
    /// The node's host has moved, as its settings say: it listens and is found there from now on.
    pub fn moved_to(&mut self, cluster: &ClusterSettings) {
        let Some(home) = &mut self.home else {
            return;
        };
        home.listen = cluster.listen.unwrap_or(home.listen);
        if let Some(advertise) = &cluster.advertise {
            home.advertise.clone_from(advertise);
        }
    }
}

/// How long a daemon that was just told to end, or killed, is waited for: its memory goes first.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Time between two looks whether it has gone.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Takes a data folder into use; a daemon that is about to leave it is waited for.
pub async fn take_when_free(folder: &Path) -> Result<Identity, IdentityError> {
    let deadline = clock::Deadline::after(LOCK_WAIT);
    loop {
        match take(folder) {
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
pub fn take(folder: &Path) -> Result<Identity, IdentityError> {
    let lock = lock(folder)?;
    let path = folder.join(FILE);
    let mut kept = match read(&path)? {
        Some(kept) => kept,
        None => Kept {
            version: 1,
            cluster: new_cluster(),
            node: 1,
            incarnation: 0,
            home: None,
        },
    };
    kept.incarnation += 1;
    write(folder, &path, &kept).map_err(failed(&path))?;
    Ok(Identity {
        cluster: kept.cluster,
        node: kept.node,
        incarnation: kept.incarnation,
        home: kept.home,
        _lock: lock,
    })
}

/// Makes an empty folder the data folder of a node of a cluster. `prepare` puts the node's keys there
/// first: a folder without them is never taken for a node's.
pub fn settle<E: From<IdentityError>>(
    folder: &Path,
    cluster: &str,
    node: u64,
    home: Home,
    prepare: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    let reserved = reserve(folder)?;
    prepare()?;
    Ok(reserved.settle(cluster, node, home)?)
}

/// A folder that is becoming a node's; no other process can have it meanwhile.
#[derive(Debug)]
pub struct Reserved {
    folder: PathBuf,
    _lock: Flock<File>,
}

/// Takes a folder that is no node's, to make it one's.
pub fn reserve(folder: &Path) -> Result<Reserved, IdentityError> {
    let lock = lock(folder)?;
    check_empty(folder)?;
    Ok(Reserved {
        folder: folder.to_owned(),
        _lock: lock,
    })
}

impl Reserved {
    /// Makes it the folder of a node of a cluster.
    pub fn settle(self, cluster: &str, node: u64, home: Home) -> Result<(), IdentityError> {
        let path = self.folder.join(FILE);
        let kept = Kept {
            version: 1,
            cluster: cluster.to_owned(),
            node,
            incarnation: 0,
            home: Some(home),
        };
        write(&self.folder, &path, &kept).map_err(failed(&path))
    }
}

/// Refuses a folder that holds anything.
pub fn check_new(folder: &Path) -> Result<(), IdentityError> {
    check_empty(folder)?;
    match fs::read_dir(folder) {
        Ok(mut found) => match found.next() {
            Some(_) => Err(IdentityError::NotEmpty(folder.to_owned())),
            None => Ok(()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(folder)(error)),
    }
}

/// Refuses a folder that is no node's.
pub fn check_taken(folder: &Path) -> Result<(), IdentityError> {
    match read(&folder.join(FILE))? {
        Some(_) => Ok(()),
        None => Err(IdentityError::Nobodys(folder.to_owned())),
    }
}

/// Takes away what was put into a folder that did not become a node's.
pub fn clear(folder: &Path) {
    let parts = PRIVATE.map(|private| fs::remove_dir_all(folder.join(private)));
    let removed = parts
        .into_iter()
        .chain([fs::remove_file(folder.join(LOCK))]);
    for error in removed.filter_map(Result::err) {
        if error.kind() != io::ErrorKind::NotFound {
            tracing::warn!(folder = %folder.display(), %error, "something stays in the folder");
        }
    }
}

/// Refuses a folder that is a node's.
pub fn check_empty(folder: &Path) -> Result<(), IdentityError> {
    match read(&folder.join(FILE))? {
        None => Ok(()),
        Some(kept) => Err(IdentityError::Taken {
            path: folder.to_owned(),
            node: kept.node,
            cluster: kept.cluster,
        }),
    }
}

/// A name that no other cluster has, on this engine or another.
pub fn new_cluster() -> String {
    let random: u64 = rand::random();
    format!("{random:016x}")
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> IdentityError {
    let path = path.to_path_buf();
    move |source| IdentityError::Failed { path, source }
}

fn lock(folder: &Path) -> Result<Flock<File>, IdentityError> {
    make_folders(folder).map_err(failed(folder))?;
    let path = folder.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed(&path))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|_| IdentityError::InUse(folder.to_path_buf()))
}

fn read(path: &Path) -> Result<Option<Kept>, IdentityError> {
    match fs::read_to_string(path) {
        Ok(text) => match serde_json::from_str(&text) {
            Ok(kept) => Ok(Some(kept)),
            Err(why) => Err(IdentityError::Damaged {
                path: path.to_owned(),
                why: why.to_string(),
            }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
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
        let first = take(folder.path()).unwrap();
        let cluster = first.cluster.clone();
        assert_eq!(first.incarnation, 1);
        drop(first);
        let second = take(folder.path()).unwrap();
        assert_eq!((second.incarnation, second.cluster), (2, cluster));
    }

    #[test]
    fn a_folder_in_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let _held = take(folder.path()).unwrap();
        assert!(matches!(take(folder.path()), Err(IdentityError::InUse(_))));
    }

    #[test]
    fn a_folder_becomes_the_one_of_a_single_node() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home {
            name: "beta".to_owned(),
            listen: "127.0.0.1:7400".parse().unwrap(),
            advertise: "beta:7400".to_owned(),
            is_founder: false,
            peers: BTreeMap::from([(1, "alpha:7400".to_owned())]),
        };
        let settle = || {
            settle(folder.path(), "c", 2, home.clone(), || {
                Ok::<_, IdentityError>(())
            })
        };
        settle().unwrap();
        assert!(matches!(
            settle(),
            Err(IdentityError::Taken { node: 2, .. })
        ));
        let taken = take(folder.path()).unwrap();
        assert_eq!((taken.node, taken.incarnation), (2, 1));
        assert_eq!(taken.home, Some(home));
    }

    #[test]
    fn half_a_file_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{\"version\":1,").unwrap();
        let refused = take(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("node.json"), "{refused}");
    }
}
