//! The spool: the contract between daemon and agent, version 1, in plain files.
//!
//! ```text
//! <box folder>/                        in the box     written by
//!   in/<attempt>/   order.json         /agent/in      daemon; read-only for the agent
//!                   case.json brief.md SOUL.md team.json refusals.md
//!                   skills/<name>/SKILL.md  attachments/…  results/<stage>.json  home/…
//!                   messages/<n>.md                     daemon, while it runs
//!   out/<attempt>/  result.json        /agent/out     agent; its working folder
//!                   progress.log say.log artifacts/…
//!   run/<attempt>/  started.json exit.json            init
//!                   stdout.log stderr.log home/…      init, agent (its HOME)
//! ```
//!
//! # Invariant
//!
//! `order.json` is written last and by rename; `started.json` at most once; `exit.json` by rename.
//! So at every instruction the folder says which of four states the attempt is in, and either side
//! may be killed and come back. The three trees belong to the daemon, an attempt's own folders in
//! `out/` and `run/` to the box's user: an agent can plant nothing in another attempt. (Where the
//! daemon is not root the box's user is its own; what is planted ahead is thrown away.)
//!
//! # Why
//!
//! Any program in any language can read files and end with an exit code. All calls here block on
//! the disk: from an actor they are made in a task.

mod beneath;
mod collect;
mod layout;
mod purge;
pub mod result;
mod size;
mod tail;
mod talk;
mod watch;
mod whole;
mod wire;

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub(crate) use beneath::{Folder, Kind};
pub use collect::{Collected, OutFile, Skipped};
pub(crate) use layout::short_way;
pub use layout::{Content, InFile, Inside, Owner, SOCKET, TOKEN};
pub(crate) use purge::remove_tree;
pub use tail::{LogChunk, LogName, Progress};
pub(crate) use watch::OrderHints;
pub use watch::{AttemptWatch, SpoolWatcher};
pub use wire::{
    AttemptLimits, AttemptName, CONTRACT_VERSION, Cancel, Captured, Ending, Exit, Order, Started,
    Stopped,
};

use crate::clock::WallMs;
use beneath::{NotOpened, read_within};
pub(crate) use whole::{failed, make_folder, to_json, write_plain, write_whole};
pub(crate) use whole::{own, write_by_rename};

/// Largest order, cancel, started and exit file that is read.
pub(crate) const WIRE_FILE_LIMIT_BYTES: usize = 1 << 20;

/// Where an attempt stands, read off its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptObserved {
    /// Init has not taken it up.
    NotStarted {
        /// Is the order there, so that init may take it up at any moment?
        is_ordered: bool,
    },
    /// Init has taken it up, and has not said that it is over.
    Running,
    /// It is over.
    Exited(Exit),
}

/// What stands in the way at the spool.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// Not usable as a name: choose another.
    #[error("`{name}` is no attempt name: lower-case letters, digits and hyphens only, at most 40")]
    BadName {
        /// The name, cut.
        name: String,
    },
    /// Not usable as a path below `in/`.
    #[error("`{path}` is no path below the attempt's input folder")]
    BadPath {
        /// The path, cut.
        path: String,
    },
    /// The disk is full: make room, then repeat.
    #[error("no room on the disk at {path}: make room, the call may then be repeated")]
    NoRoom {
        /// Where.
        path: PathBuf,
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

/// One box's spool folder on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spool {
    folder: PathBuf,
    owner: Owner,
    inside: Inside,
}

impl Spool {
    /// The spool at `folder`, which [`Spool::lay_out`] has made before.
    pub fn at(folder: PathBuf, owner: Owner, inside: Inside) -> Spool {
        Spool {
            folder,
            owner,
            inside,
        }
    }

    /// Makes the folder and its four trees, where they are not there.
    ///
    /// # Errors
    /// [`SpoolError::NoRoom`] or [`SpoolError::Failed`].
    pub fn lay_out(folder: PathBuf, owner: Owner, inside: Inside) -> Result<Spool, SpoolError> {
        let spool = Spool::at(folder, owner, inside);
        make_folder(&spool.folder, 0o710)?;
        if nix::unistd::geteuid().is_root() {
            // Only this box's group may pass; what it may touch inside is said further down.
            own(
                &spool.folder,
                Owner {
                    uid: 0,
                    gid: owner.gid,
                },
            )?;
        }
        for tree in ["in", "out", "run", "gateway"] {
            make_folder(&spool.folder.join(tree), 0o755)?;
        }
        Ok(spool)
    }

    /// The folder on the host.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The user that the box's programs are.
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// Where the programs in the box see its parts.
    pub fn inside(&self) -> &Inside {
        &self.inside
    }

    /// The attempt's input folder on the host.
    pub fn in_folder(&self, attempt: &AttemptName) -> PathBuf {
        self.folder.join("in").join(attempt.as_str())
    }

    /// The attempt's output folder on the host.
    pub fn out_folder(&self, attempt: &AttemptName) -> PathBuf {
        self.folder.join("out").join(attempt.as_str())
    }

    /// The attempt's folder for init's files on the host.
    pub fn run_folder(&self, attempt: &AttemptName) -> PathBuf {
        self.folder.join("run").join(attempt.as_str())
    }

    /// The attempt's folder for the gateway's socket on the host; the box sees it read-only.
    pub fn gateway_folder(&self, attempt: &AttemptName) -> PathBuf {
        self.folder.join("gateway").join(attempt.as_str())
    }

    /// Lays an attempt's input and empty output folders out. Does nothing once it is ordered;
    /// until then it may be repeated and begins anew.
    ///
    /// # Errors
    /// [`SpoolError::BadPath`], [`SpoolError::NoRoom`] or [`SpoolError::Failed`].
    pub fn prepare(&self, attempt: &AttemptName, files: &[InFile]) -> Result<(), SpoolError> {
        if self.observe(attempt)? != (AttemptObserved::NotStarted { is_ordered: false }) {
            return Ok(());
        }
        let input = self.in_folder(attempt);
        remove_tree(&input).map_err(|source| failed(&input, source))?;
        make_folder(&input, 0o755)?;
        for file in files {
            whole::place(&input, file)?;
        }
        for folder in [self.out_folder(attempt), self.run_folder(attempt)] {
            remove_tree(&folder).map_err(|source| failed(&folder, source))?;
            make_folder(&folder, 0o700)?;
            own(&folder, self.owner)?;
        }
        Ok(())
    }

    /// Orders a prepared attempt to be run, at most once however often this is called.
    ///
    /// Not forced to the disk: a power cut ends every box, and what it makes of the order, nothing
    /// or half of it, is mended by ordering again.
    ///
    /// # Errors
    /// [`SpoolError::NoRoom`] or [`SpoolError::Failed`].
    pub fn order(&self, attempt: &AttemptName, order: &Order) -> Result<(), SpoolError> {
        if self.is_ordered(attempt) {
            return Ok(());
        }
        write_by_rename(
            &self.in_folder(attempt),
            "order.json",
            &to_json(order),
            0o644,
        )
    }

    /// Is there a whole order?
    fn is_ordered(&self, attempt: &AttemptName) -> bool {
        let written = std::fs::read(self.in_folder(attempt).join("order.json"));
        written.is_ok_and(|written| serde_json::from_slice::<Order>(&written).is_ok())
    }

    /// Asks init to end the attempt, or not to begin it. May be repeated.
    ///
    /// # Errors
    /// [`SpoolError::NoRoom`] or [`SpoolError::Failed`].
    pub fn cancel(&self, attempt: &AttemptName, cancel: &Cancel) -> Result<(), SpoolError> {
        let folder = self.in_folder(attempt);
        make_folder(&folder, 0o755)?;
        write_by_rename(&folder, "cancel.json", &to_json(cancel), 0o644)
    }

    /// Where the attempt stands.
    ///
    /// # Errors
    /// [`SpoolError::Failed`] when the folder cannot be read.
    pub fn observe(&self, attempt: &AttemptName) -> Result<AttemptObserved, SpoolError> {
        // Without an order, what lies there for the attempt was planted by one before it.
        let is_ordered = self.is_ordered(attempt);
        let path = self.run_folder(attempt);
        let run = match Folder::open(&path) {
            Ok(run) if is_ordered => run,
            Ok(_) => return Ok(AttemptObserved::NotStarted { is_ordered }),
            Err(gone) if gone.kind() == io::ErrorKind::NotFound || !is_ordered => {
                return Ok(AttemptObserved::NotStarted { is_ordered });
            }
            Err(source) => return Err(failed(&path, source)),
        };
        match run.file("exit.json".as_ref(), self.owner.uid) {
            Ok((mut file, _)) => {
                let read = read_within(&mut file, WIRE_FILE_LIMIT_BYTES);
                let bytes = read
                    .map_err(|source| failed(&path, source))?
                    .unwrap_or_default();
                // The agent shares init's user and can spoil this file: then nothing is known.
                let exit = serde_json::from_slice(&bytes);
                Ok(AttemptObserved::Exited(
                    exit.unwrap_or_else(|_| Exit::bare(Ending::Lost)),
                ))
            }
            Err(NotOpened::Other(_)) => Ok(AttemptObserved::Exited(Exit::bare(Ending::Lost))),
            Err(NotOpened::Failed(source)) => Err(failed(&path, source)),
            Err(NotOpened::Absent) => match run.look("started.json".as_ref()) {
                Ok(_) => Ok(AttemptObserved::Running),
                Err(nix::Error::ENOENT) => Ok(AttemptObserved::NotStarted { is_ordered }),
                Err(source) => Err(failed(&path, source.into())),
            },
        }
    }

    /// Says that the attempt is over because its box is gone, unless init said how it ended.
    ///
    /// Only for a box that does not run and will not be started again.
    ///
    /// # Errors
    /// [`SpoolError::NoRoom`] or [`SpoolError::Failed`].
    pub fn lose(&self, attempt: &AttemptName) -> Result<Exit, SpoolError> {
        if let AttemptObserved::Exited(exit) = self.observe(attempt)? {
            return Ok(exit);
        }
        let folder = self.run_folder(attempt);
        make_folder(&folder, 0o700)?;
        own(&folder, self.owner)?;
        let exit = Exit::bare(Ending::Lost);
        write_whole(&folder, "exit.json", &to_json(&exit), 0o644)?;
        own(&folder.join("exit.json"), self.owner)?;
        Ok(exit)
    }

    /// What the attempt left in its output folder. Only after its exit.
    ///
    /// # Errors
    /// [`SpoolError::Failed`] when its folders cannot be opened.
    pub fn collect(&self, attempt: &AttemptName) -> Result<Collected, SpoolError> {
        Collected::gather(self, attempt)
    }

    /// New whole lines of the agent's `progress.log`.
    pub fn progress(&self, attempt: &AttemptName, from: u64) -> Progress {
        let lines = tail::LinesOf::Progress;
        tail::progress(&self.out_folder(attempt), self.owner.uid, lines, from)
    }

    /// A piece of a log, from the byte `from` on.
    pub fn log(&self, attempt: &AttemptName, log: LogName, from: u64) -> LogChunk {
        tail::log(&self.run_folder(attempt), self.owner.uid, log, from)
    }

    /// The attempts that have a folder here, in the order of their names.
    ///
    /// # Errors
    /// [`SpoolError::Failed`] when the folder cannot be read.
    pub fn attempts(&self) -> Result<Vec<AttemptName>, SpoolError> {
        let mut found = std::collections::BTreeSet::new();
        for tree in ["in", "run"] {
            let path = self.folder.join(tree);
            let folder = Folder::open(&path).map_err(|source| failed(&path, source))?;
            let each = folder.each(|name| {
                found.extend(name.to_str().and_then(|name| AttemptName::new(name).ok()));
                true
            });
            each.map_err(|source| failed(&path, source))?;
        }
        Ok(found.into_iter().collect())
    }

    /// What an attempt has left on the disk, in bytes.
    ///
    /// # Errors
    /// [`SpoolError::Failed`] when its folders cannot be read.
    pub fn size(&self, attempt: &AttemptName) -> Result<u64, SpoolError> {
        let mut bytes = 0;
        for path in [
            self.in_folder(attempt),
            self.out_folder(attempt),
            self.run_folder(attempt),
        ] {
            bytes += size::of(&path).map_err(|source| failed(&path, source))?;
        }
        Ok(bytes)
    }

    /// When an attempt was ordered, which its agent cannot change; none where it was not.
    pub fn ordered(&self, attempt: &AttemptName) -> Option<WallMs> {
        let seen = std::fs::metadata(self.in_folder(attempt)).ok()?;
        let since = u64::try_from(seen.mtime()).unwrap_or(0);
        Some(WallMs(since.saturating_mul(1000)))
    }

    /// Removes all that is left of an attempt that is over, or was never ordered.
    ///
    /// # Errors
    /// [`SpoolError::Failed`].
    pub fn discard(&self, attempt: &AttemptName) -> Result<(), SpoolError> {
        // The order first, the mark that it was started last: init must not see one without the
        // other and start it again.
        let trees = [
            self.in_folder(attempt),
            self.gateway_folder(attempt),
            self.out_folder(attempt),
            self.run_folder(attempt),
        ];
        for folder in trees {
            remove_tree(&folder).map_err(|source| failed(&folder, source))?;
        }
        Ok(())
    }
}
