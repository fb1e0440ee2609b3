//! Whose a box's folders are, where its programs see them, and what is put into them.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use serde::{Deserialize, Serialize};

use super::AttemptName;

/// The name of an attempt's socket to the gateway, in the attempt's folder among the gateway's.
pub const SOCKET: &str = "gateway.sock";
/// The name of the file in `in/` with the attempt's token for the gateway.
pub const TOKEN: &str = "gateway.token";

/// The user that a box's programs are, as this host counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// Where the programs in a box see its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The folder with `in/`, `out/` and `run/`: `/agent` where the box has its own root.
    pub root: PathBuf,
    /// The `domo` binary: `/domo` likewise.
    pub domo: PathBuf,
    /// The folder of the gateway's sockets: `/run/domo` likewise.
    pub gateway: PathBuf,
}

impl Inside {
    /// The view of a box that has its own root.
    pub fn own_root() -> Inside {
        Inside {
            root: "/agent".into(),
            domo: "/domo".into(),
            gateway: "/run/domo".into(),
        }
    }

    /// The attempt's input folder, as its agent sees it.
    pub fn input(&self, attempt: &AttemptName) -> PathBuf {
        self.root.join("in").join(attempt.as_str())
    }

    /// The attempt's output and working folder, as its agent sees it.
    pub fn output(&self, attempt: &AttemptName) -> PathBuf {
        self.root.join("out").join(attempt.as_str())
    }

    /// The attempt's socket to the gateway, as its agent sees it.
    pub fn socket(&self, attempt: &AttemptName) -> PathBuf {
        self.gateway.join(attempt.as_str()).join(SOCKET)
    }

    /// The attempt's HOME, as its agent sees it.
    pub fn home(&self, attempt: &AttemptName) -> PathBuf {
        self.root.join("run").join(attempt.as_str()).join("home")
    }
}

/// A file for an attempt's `in/` folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFile {
    /// Relative to `in/<attempt>/`, plain components only.
    pub path: String,
    /// What is in it.
    pub content: Content,
}

/// Where a file's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// These.
    Bytes(Vec<u8>),
    /// Those of the daemon's own file at this path.
    CopyOf(PathBuf),
}

/// A way to the socket in `folder` that is short enough for any data folder, while the descriptor
/// is open.
pub(crate) fn short_way(folder: &Path) -> io::Result<(OwnedFd, PathBuf)> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let folder = open(folder, flags, Mode::empty())?;
    let way = format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd());
    Ok((folder, way.into()))
}
