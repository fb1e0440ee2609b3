//! A file, on the disk of this machine or on that of whatever stands in for it.

use std::fmt;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use crate::world::stand_in;

/// The bytes of a file on a disk that stands in for the machine's.
pub trait Bytes: Send + Sync {
    /// Reads from a place on; says how many bytes there were.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize>;
    /// Writes at a place.
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// How many there are.
    fn count(&self) -> io::Result<u64>;
    /// Cuts it, or fills it up with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes what was written durable.
    fn sync(&self) -> io::Result<()>;
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the system's own"
)]
pub struct OpenOptions {
    /// It may be read.
    pub read: bool,
    /// It may be written.
    pub write: bool,
    /// Each write goes to its end.
    pub append: bool,
    /// It is made when it is not there.
    pub create: bool,
    /// It must not be there before.
    pub create_new: bool,
    /// What it held goes.
    pub truncate: bool,
    /// Who may do what with a new one; none for what the system says.
    pub mode: Option<u32>,
}

impl OpenOptions {
    /// To be read and written where one likes.
    pub const UPDATE: Self = Self {
        read: true,
        write: true,
        append: false,
        create: false,
        create_new: false,
        truncate: false,
        mode: None,
    };
    /// A file that is only for its owner, to be added to; made when it is not there.
    pub const GROW: Self = Self {
        read: false,
        write: false,
        append: true,
        create: true,
        create_new: false,
        truncate: false,
        mode: Some(0o600),
    };

    /// Opens a file so.
    pub fn open(self, path: &Path) -> io::Result<File> {
        if let Some(world) = stand_in() {
            let bytes = world.open(path, &self)?;
            return Ok(File(Kind::StandIn {
                bytes,
                at: 0,
                appends: self.append,
            }));
        }
        let mut options = fs::File::options();
        options
            .read(self.read)
            .write(self.write)
            .append(self.append)
            .create(self.create)
            .create_new(self.create_new)
            .truncate(self.truncate);
        if let Some(mode) = self.mode {
            options.mode(mode);
        }
        options.open(path).map(|file| File(Kind::Real(file)))
    }
}

/// An open file.
#[derive(Debug)]
pub struct File(Kind);

enum Kind {
    Real(fs::File),
    StandIn {
        bytes: Arc<dyn Bytes>,
        at: u64,
        appends: bool,
    },
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real(file) => file.fmt(f),
            Self::StandIn { .. } => f.write_str("a file of a stand-in"),
        }
    }
}

impl File {
    /// Opens one to be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let read = OpenOptions {
            read: true,
            ..OpenOptions::default()
        };
        read.open(path)
    }

    /// Makes one that is empty, or empties it.
    pub fn create(path: &Path) -> io::Result<Self> {
        let new = OpenOptions {
            write: true,
            create: true,
            truncate: true,
            ..OpenOptions::default()
        };
        new.open(path)
    }

    /// Writes all bytes at a place.
    pub fn write_all_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        match &self.0 {
            Kind::Real(file) => file.write_all_at(bytes, at),
            Kind::StandIn { bytes: held, .. } => held.write_at(at, bytes),
        }
    }

    /// Makes its bytes durable.
    pub fn sync_data(&self) -> io::Result<()> {
        match &self.0 {
            Kind::Real(file) => file.sync_data(),
            Kind::StandIn { bytes, .. } => bytes.sync(),
        }
    }

    /// Makes its bytes and all else that belongs to it durable.
    pub fn sync_all(&self) -> io::Result<()> {
        match &self.0 {
            Kind::Real(file) => file.sync_all(),
            Kind::StandIn { bytes, .. } => bytes.sync(),
        }
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> io::Result<u64> {
        match &self.0 {
            Kind::Real(file) => Ok(file.metadata()?.len()),
            Kind::StandIn { bytes, .. } => bytes.count(),
        }
    }

    /// Cuts it, or fills it up with zeros.
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        match &self.0 {
            Kind::Real(file) => file.set_len(len),
            Kind::StandIn { bytes, .. } => bytes.set_len(len),
        }
    }

    /// The same file once more.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(match &self.0 {
            Kind::Real(file) => Kind::Real(file.try_clone()?),
            Kind::StandIn { bytes, at, appends } => Kind::StandIn {
                bytes: Arc::clone(bytes),
                at: *at,
                appends: *appends,
            },
        }))
    }

    /// Takes it for this process alone, until it is closed.
    pub fn try_lock(&self) -> Result<(), fs::TryLockError> {
        match &self.0 {
            Kind::Real(file) => file.try_lock(),
            // Nobody else is there.
            Kind::StandIn { .. } => Ok(()),
        }
    }
}

impl Read for File {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Real(file) => file.read(into),
            Kind::StandIn { bytes, at, .. } => {
                let read = bytes.read_at(*at, into)?;
                *at += read as u64;
                Ok(read)
            }
        }
    }
}

impl Write for File {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Real(file) => file.write(from),
            Kind::StandIn { bytes, at, appends } => {
                if *appends {
                    *at = bytes.count()?;
                }
                bytes.write_at(*at, from)?;
                *at += from.len() as u64;
                Ok(from.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.0 {
            Kind::Real(file) => file.seek(to),
            Kind::StandIn { bytes, at, .. } => {
                let moved = match to {
                    SeekFrom::Start(to) => Some(to),
                    SeekFrom::End(by) => bytes.count()?.checked_add_signed(by),
                    SeekFrom::Current(by) => at.checked_add_signed(by),
                };
                *at = moved.ok_or(io::ErrorKind::InvalidInput)?;
                Ok(*at)
            }
        }
    }
}
