//! The socket's file: made for its owner alone from the first instant, taken over from a dead
//! daemon, never from a live one.
//!
//! ```text
//! lock PATH.lock ─► connect to PATH (nobody?) ─► bind in a folder of our own (0700) ─► chmod ─► rename
//! ```
//!
//! # Invariant
//! At no instant may another user connect who may not later. At most one daemon has the path.
//!
//! # Why
//! A socket takes its mode from the process-wide umask, which other threads use at the same time:
//! so it is made where nobody else can look, and moved when it is ready. The lock decides between
//! two daemons that start at once; the connect finds one that was started without it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _,
    PermissionsExt as _,
};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio::net::UnixListener;

/// The longest path of a socket: what fits into the system's address with its end mark.
pub const MAX_PATH_BYTES: usize = 107;

/// Why there is no socket, named after what to do.
#[derive(Debug, Error)]
pub enum SocketError {
    /// The path is too long: choose a shorter one.
    #[error(
        "the socket's path has {bytes} bytes, at most {MAX_PATH_BYTES} fit: choose a shorter one \
         with admin.socket or a shorter data folder"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A daemon is at work there: stop it, or choose another path.
    #[error("a daemon answers at {} already: stop it, or choose another socket", path.display())]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// Something else is there: move it away.
    #[error("{} is there and is no socket: move it away, or choose another path", path.display())]
    Occupied {
        /// The path.
        path: PathBuf,
    },
    /// The system said no.
    #[error("cannot {what} {}", path.display())]
    Failed {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What came back.
        source: io::Error,
    },
}

/// A socket that listens. Dropped, its file is removed, if it is still this one.
#[derive(Debug)]
pub struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    inode: (u64, u64),
    /// Held as long as the socket is.
    _lock: File,
}

impl Socket {
    /// Makes the socket at `path` with these permission bits. Inside a tokio runtime.
    pub fn bind(path: &Path, mode: u32) -> Result<Self, SocketError> {
        let bytes = path.as_os_str().len();
        if bytes > MAX_PATH_BYTES {
            return Err(SocketError::TooLong { bytes });
        }
        let lock = lock(path)?;
        free(path)?;
        let listener = make(path, mode)?;
        let found = fs::metadata(path).map_err(failed("look at", path))?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            inode: (found.dev(), found.ino()),
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let is_ours = |found: fs::Metadata| (found.dev(), found.ino()) == self.inode;
        if fs::symlink_metadata(&self.path).is_ok_and(is_ours) {
            // Nothing leans on its removal: the next daemon takes a dead one's place.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SocketError {
    let path = path.to_owned();
    move |source| SocketError::Failed { what, path, source }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn lock(path: &Path) -> Result<File, SocketError> {
    let name = beside(path, ".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&name)
        .map_err(failed("open", &name))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SocketError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed("lock", &name)(source)),
    }
}

/// Makes sure that nobody answers at the path and that nothing but a dead socket is there.
fn free(path: &Path) -> Result<(), SocketError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {}
        Ok(_) => {
            return Err(SocketError::Occupied {
                path: path.to_owned(),
            });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed("look at", path)(source)),
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        // It answers, or would if it were not busy, or is someone else's.
        Ok(_) | Err(_) => Err(SocketError::InUse {
            path: path.to_owned(),
        }),
    }
}

fn make(path: &Path, mode: u32) -> Result<UnixListener, SocketError> {
    // Under the lock this name is ours, too.
    let nursery = beside(path, ".new");
    // What a daemon left that died here.
    let _ = fs::remove_dir_all(&nursery);
    DirBuilder::new()
        .mode(0o700)
        .create(&nursery)
        .map_err(failed("make", &nursery))?;
    let listener = make_in(&nursery, path, mode);
    let _ = fs::remove_dir_all(&nursery);
    listener
}

fn make_in(nursery: &Path, path: &Path, mode: u32) -> Result<UnixListener, SocketError> {
    let new = nursery.join("s");
    // Through the open folder the path is short, however deep the folder is.
    let opened = File::open(nursery).map_err(failed("open", nursery))?;
    let short = format!(
        "/proc/self/fd/{}/s",
        std::os::fd::AsRawFd::as_raw_fd(&opened)
    );
    let listener = UnixListener::bind(&short).map_err(failed("bind", &new))?;
    fs::set_permissions(&new, Permissions::from_mode(mode)).map_err(failed("protect", &new))?;
    fs::rename(&new, path).map_err(failed("move the socket to", path))?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;

    use super::{Socket, SocketError};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[tokio::test]
    async fn a_socket_is_its_owners_alone_and_goes_with_its_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        let socket = Socket::bind(&path, 0o600).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert!(UnixStream::connect(&path).is_ok());
        drop(socket);
        assert!(!path.exists());
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "only the lock file stays: {left:?}");
    }

    #[tokio::test]
    async fn a_dead_daemons_socket_is_taken_over_and_a_live_ones_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        drop(UnixListener::bind(&path).unwrap());
        let socket = Socket::bind(&path, 0o660).unwrap();
        assert_eq!(mode(&path), 0o660);
        let second = Socket::bind(&path, 0o600);
        assert!(
            matches!(second, Err(SocketError::InUse { .. })),
            "{second:?}"
        );
        drop(socket);
        let without_lock = UnixListener::bind(&path).unwrap();
        let second = Socket::bind(&path, 0o600);
        assert!(
            matches!(second, Err(SocketError::InUse { .. })),
            "{second:?}"
        );
        drop(without_lock);
    }

    #[tokio::test]
    async fn what_is_no_socket_is_never_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        fs::write(&path, "precious").unwrap();
        let refused = Socket::bind(&path, 0o600);
        assert!(
            matches!(refused, Err(SocketError::Occupied { .. })),
            "{refused:?}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[tokio::test]
    async fn the_longest_path_is_taken_and_a_longer_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let room = 107 - folder.path().as_os_str().len() - 1;
        let path = folder.path().join("x".repeat(room));
        let socket = Socket::bind(&path, 0o600).unwrap();
        assert!(UnixStream::connect(socket.path()).is_ok());
        let longer = Socket::bind(&folder.path().join("x".repeat(room + 1)), 0o600);
        assert!(
            matches!(longer, Err(SocketError::TooLong { bytes: 108 })),
            "{longer:?}"
        );
    }
}
