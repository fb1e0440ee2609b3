//! Opening what a stranger wrote: one step at a time, below a folder that is known.
//!
//! # Invariant
//!
//! No link is ever followed, nothing but a plain file of the expected owner is ever read, and no
//! open blocks (a pipe without a writer would).
//!
//! # Why
//!
//! An agent owns the folders it writes into: between a check and an open by path it could put a
//! link in between. Every step is therefore relative to a descriptor that is already open.
//! `openat2` with `RESOLVE_BENEATH` would do it in one call, but is missing in older sandboxes.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    Pipe,
    Socket,
    Device,
}

impl Kind {
    pub(crate) fn of(stat: &FileStat) -> Kind {
        match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
            SFlag::S_IFREG => Kind::File,
            SFlag::S_IFDIR => Kind::Folder,
            SFlag::S_IFLNK => Kind::Link,
            SFlag::S_IFIFO => Kind::Pipe,
            SFlag::S_IFSOCK => Kind::Socket,
            _ => Kind::Device,
        }
    }

    /// With its article, for a sentence.
    pub(crate) fn called(self) -> &'static str {
        match self {
            Kind::File => "a file",
            Kind::Folder => "a folder",
            Kind::Link => "a symbolic link",
            Kind::Pipe => "a pipe",
            Kind::Socket => "a socket",
            Kind::Device => "a device",
        }
    }
}

/// Why a file of a stranger was not opened.
#[derive(Debug)]
pub(crate) enum NotOpened {
    Absent,
    /// What it is instead of a plain file.
    Other(&'static str),
    Failed(io::Error),
}

impl From<nix::Error> for NotOpened {
    fn from(source: nix::Error) -> NotOpened {
        if source == nix::Error::ENOENT || source == nix::Error::ENOTDIR {
            NotOpened::Absent
        } else if source == nix::Error::ELOOP {
            // What opening a link with O_NOFOLLOW answers.
            NotOpened::Other("a symbolic link")
        } else {
            NotOpened::Failed(source.into())
        }
    }
}

fn folder_flags() -> OFlag {
    OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Folder {
    /// Opens a folder whose path up to its last component is the daemon's own.
    pub(crate) fn open(path: &Path) -> io::Result<Folder> {
        Ok(Folder(open(path, folder_flags(), Mode::empty())?))
    }

    /// Steps into the folder called `name`.
    pub(crate) fn enter(&self, name: &OsStr) -> nix::Result<Folder> {
        Ok(Folder(openat(
            &self.0,
            name,
            folder_flags(),
            Mode::empty(),
        )?))
    }

    /// What the entry called `name` is, without following it.
    pub(crate) fn look(&self, name: &OsStr) -> nix::Result<FileStat> {
        fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW)
    }

    /// Opens the plain file called `name`, owned by `uid`, for reading.
    pub(crate) fn file(&self, name: &OsStr, uid: u32) -> Result<(File, u64), NotOpened> {
        let seen = Kind::of(&self.look(name)?);
        if seen != Kind::File {
            return Err(NotOpened::Other(seen.called()));
        }
        let flags = OFlag::O_RDONLY
            | OFlag::O_NOFOLLOW
            | OFlag::O_NONBLOCK
            | OFlag::O_NOCTTY
            | OFlag::O_CLOEXEC;
        let fd = openat(&self.0, name, flags, Mode::empty())?;
        let stat = fstat(&fd)?;
        match Kind::of(&stat) {
            Kind::File if stat.st_uid == uid => {
                Ok((File::from(fd), u64::try_from(stat.st_size).unwrap_or(0)))
            }
            // A hard link to a file of someone else.
            Kind::File => Err(NotOpened::Other("a file of another owner")),
            other @ (Kind::Folder | Kind::Link | Kind::Pipe | Kind::Socket | Kind::Device) => {
                Err(NotOpened::Other(other.called()))
            }
        }
    }

    /// Opens the plain file at the relative `path`, stepping through each folder on the way.
    pub(crate) fn file_at(&self, path: &Path, uid: u32) -> Result<(File, u64), NotOpened> {
        let mut steps = Vec::new();
        for step in path.components() {
            match step {
                Component::Normal(name) => steps.push(name),
                Component::CurDir
                | Component::ParentDir
                | Component::RootDir
                | Component::Prefix(_) => return Err(NotOpened::Absent),
            }
        }
        let Some((last, folders)) = steps.split_last() else {
            return Err(NotOpened::Absent);
        };
        let mut at: Option<Folder> = None;
        for name in folders {
            at = Some(at.as_ref().unwrap_or(self).enter(name)?);
        }
        at.as_ref().unwrap_or(self).file(last, uid)
    }

    /// Calls `each` with the name of each entry until it answers no; `.` and `..` are left out.
    pub(crate) fn each(&self, mut each: impl FnMut(&OsStr) -> bool) -> io::Result<()> {
        // A fresh descriptor, so that the position in the folder is not shared.
        let mut dir = Dir::openat(&self.0, c".", folder_flags(), Mode::empty())?;
        for entry in dir.iter() {
            let entry = entry?;
            let name: &CStr = entry.file_name();
            let name = OsStr::from_bytes(name.to_bytes());
            if name != "." && name != ".." && !each(name) {
                break;
            }
        }
        Ok(())
    }
}

/// Reads at most `limit` bytes, and one more to see whether there was more: `None` then.
pub(crate) fn read_within(file: &mut File, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= limit).then_some(bytes))
}
