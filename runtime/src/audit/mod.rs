//! The files of records: what was asked of the cluster and what came of it, on every node.
//!
//! ```text
//! apply ─► add ─► pending (in memory) ─► audit-0000…1.jsonl, audit-0000…8193.jsonl, …
//!                                              │ fsync, before the log is cut behind them
//!                                              ▼
//!                                   verify: state's head, signed checkpoints, saved heads
//! ```
//!
//! # Invariant
//! The log is cut only behind records that are durable here, so a replay brings every record that a
//! death has taken. What is missing after a snapshot came from another node is a gap, known as one,
//! and filled from other nodes with records that lead from the head before it to the head after it.
//!
//! # Why
//! Files of lines, not the store: an auditor reads and checks them with the tools that they have, and
//! they are copied away without asking the daemon.

pub mod begin;
pub mod checkpoint;
mod erase;
pub mod export;
mod fill;
pub mod line;
pub mod read;
pub mod retain;
pub mod segment;
pub mod signers;
#[cfg(test)]
pub(crate) mod tests;
pub mod verify;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rules::audit::Recorded;

use crate::disk::{self, File, OpenOptions};
use crate::links::Signers;
use begin::Begin;
pub use fill::{Batch, Gap};
use line::{FileHead, Head};
use segment::Segment;
use verify::{Known, Verified};

/// A file of records is ended at this size: some seconds' work to look through.
pub const SEGMENT_BYTES: u64 = 8 * 1024 * 1024;
/// Records that wait in memory are written at the latest when they are so many bytes.
const PENDING_BYTES: usize = 256 * 1024;
/// What a damaged end of a file is kept under, for whoever wants to know what happened.
const DAMAGED: &str = "damaged";
/// What a file is called while it takes the place of one that the disk failed to sync.
const RENEWED: &str = "renewed";

/// The records of a node. Its calls block on the disk, for the time of a few writes.
#[derive(Debug)]
pub struct Audit {
    dir: PathBuf,
    segment_bytes: u64,
    signers: OnceLock<Signers>,
    files: Mutex<Files>,
}

#[derive(Debug, Default)]
struct Files {
    /// In the order of their records.
    segments: Vec<Segment>,
    /// The file that grows, behind those that did and are not durable yet.
    growing: Vec<Growing>,
    /// Where they begin: what came before is in an archive.
    begin: Begin,
    /// How far the state is.
    expected: (u64, Head),
    /// The disk did not take a write; it is tried again.
    is_failing: bool,
}

/// A file that grows.
#[derive(Debug)]
struct Growing {
    path: PathBuf,
    file: Option<File>,
    /// What of it is whole.
    bytes: u64,
    /// What comes behind that and is not written yet.
    pending: String,
    /// The disk failed to sync it: what it says of the same bytes later means nothing.
    is_in_doubt: bool,
}

impl Growing {
    fn of(segment: &Segment) -> Self {
        Self {
            path: segment.path.clone(),
            file: None,
            bytes: segment.bytes,
            pending: String::new(),
            is_in_doubt: false,
        }
    }

    fn write(&mut self) -> io::Result<()> {
        if self.is_in_doubt {
            self.renew()?;
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => segment::grow(&self.path)?,
        };
        // A write that came only halfway is taken back before it is tried again.
        let written = file
            .set_len(self.bytes)
            .and_then(|()| file.write_all(self.pending.as_bytes()));
        self.file = Some(file);
        written?;
        self.bytes += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Makes all of it durable, its name too.
    fn settle(&mut self) -> io::Result<()> {
        self.write()?;
        let folder = self.path.parent().unwrap_or(&self.path);
        let synced = self.file.as_ref().map_or(Ok(()), File::sync_all);
        let synced = synced.and_then(|()| disk::sync_folder(folder));
        self.is_in_doubt = synced.is_err();
        synced
    }

    /// Writes all of it once more, into a file that takes its place: after a failed sync the system
    /// takes the old one's bytes for written (Rebello and others, 2020).
    fn renew(&mut self) -> io::Result<()> {
        self.file = None;
        let known = Segment::read(&self.path)?.map_or(0, |found| found.bytes);
        if known < self.bytes {
            let lost =
                "what it did not sync it has not kept: start the node again, and it asks others";
            return Err(io::Error::other(lost));
        }
        let mut bytes = disk::read(&self.path)?;
        bytes.truncate(usize::try_from(self.bytes).unwrap_or(usize::MAX));
        segment::put(&self.path, RENEWED, &bytes)?;
        self.is_in_doubt = false;
        Ok(())
    }
}

impl Files {
    /// Takes a line in behind the last one.
    fn push(&mut self, line: &str) {
        let Some(last) = self.segments.last() else {
            return;
        };
        if self
            .growing
            .last()
            .is_none_or(|growing| growing.path != last.path)
        {
            self.growing.push(Growing::of(last));
        }
        if let Some(growing) = self.growing.last_mut() {
            growing.pending.push_str(line);
        }
        if let Some(last) = self.segments.last_mut() {
            last.bytes += line.len() as u64;
        }
    }

    /// Writes what is pending; a file that grows no more is durable before the next one begins, so that
    /// only the last of them can lose its end.
    fn write(&mut self) -> io::Result<()> {
        while self.growing.len() > 1 {
            self.growing[0].settle()?;
            self.growing.remove(0);
        }
        self.growing.iter_mut().try_for_each(Growing::write)
    }

    /// Makes all of them durable.
    fn settle(&mut self) -> io::Result<()> {
        self.growing.iter_mut().try_for_each(Growing::settle)
    }

    fn pending_bytes(&self) -> usize {
        self.growing
            .iter()
            .map(|growing| growing.pending.len())
            .sum()
    }

    fn last(&self) -> (u64, Head) {
        let last = self.segments.last().map(|last| (last.last, last.head));
        last.unwrap_or((self.begin.count, self.begin.head))
    }
}

impl Audit {
    /// Opens the files of a folder; what a death left unwritten at their end is cut off. Blocks.
    pub fn open(dir: &Path) -> io::Result<Self> {
        Self::open_with(dir, SEGMENT_BYTES)
    }

    /// As [`Audit::open`], with files of about so many bytes.
    fn open_with(dir: &Path, segment_bytes: u64) -> io::Result<Self> {
        disk::make_folders(dir)?;
        let mut segments: Vec<Segment> = Vec::new();
        let paths = segment::files(dir)?;
        for (number, path) in paths.iter().enumerate() {
            match Segment::read(path)? {
                Some(found) => segments.push(found),
                // The death came before the first line of a new file was on the disk.
                None if number + 1 == paths.len() => disk::remove(path)?,
                None => tracing::error!("{} is no file of records", path.display()),
            }
        }
        if let Some(last) = segments.last() {
            cut(last)?;
        }
        // Whose word it is is looked at when the record is verified.
        let begin = begin::read(dir, &[])?;
        Ok(Self {
            dir: dir.to_owned(),
            segment_bytes,
            signers: OnceLock::new(),
            files: Mutex::new(Files {
                segments,
                begin,
                ..Files::default()
            }),
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Says whose signatures checkpoints here must have.
    pub fn signed_by(&self, signers: Signers) {
        let said = self.signers.set(signers);
        debug_assert!(said.is_ok(), "a node is of one cluster");
    }

    /// Whose signatures those are; nobody's as long as nobody has said so.
    pub fn signers(&self) -> &[Signers] {
        self.signers.get().map_or(&[], std::slice::from_ref)
    }

    /// The last record, and the head with it.
    pub fn last(&self) -> (u64, Head) {
        self.locked().last()
    }

    /// Says how far the state is, after it came with a snapshot.
    pub fn expect(&self, count: u64, head: Head) {
        self.locked().expected = (count, head);
    }

    /// Takes the next record in; one that a replay brings again is left.
    pub fn add(&self, recorded: &Recorded) {
        let mut files = self.locked();
        let (last, head) = files.last();
        files.expected = (recorded.count, recorded.head);
        if recorded.count <= last {
            if recorded.count == last && recorded.head != head {
                let path = self.dir.display();
                tracing::error!("the records in {path} were altered: see `domo audit verify`");
            }
            return;
        }
        let line = line::line(recorded);
        let is_next = recorded.count == last + 1 && recorded.before == head;
        let room = files
            .segments
            .last()
            .is_some_and(|segment| segment.bytes + line.len() as u64 <= self.segment_bytes);
        if !is_next || !room {
            self.begin(&mut files, recorded);
        }
        files.push(&line);
        if let Some(segment) = files.segments.last_mut() {
            segment.last = recorded.count;
            segment.head = recorded.head;
        }
        if files.pending_bytes() >= PENDING_BYTES && !files.is_failing {
            self.write(&mut files);
        }
    }

    /// Begins a file with this record.
    fn begin(&self, files: &mut Files, recorded: &Recorded) {
        files.segments.push(Segment {
            path: segment::path(&self.dir, recorded.count),
            first: recorded.count,
            before: recorded.before,
            last: recorded.count - 1,
            head: recorded.before,
            bytes: 0,
        });
        files.push(&FileHead::line(recorded.count, &recorded.before));
    }

    /// Hands what is pending to the file; where the disk does not take it, it stays pending, and the
    /// log is not cut before it is written.
    fn write(&self, files: &mut Files) {
        let written = files.write();
        if let Err(error) = &written
            && !files.is_failing
        {
            tracing::warn!(
                "records wait for the disk of {}: {error}",
                self.dir.display()
            );
        }
        files.is_failing = written.is_err();
    }

    /// Keeps what comes in memory until [`Audit::sync`] is asked for.
    pub(crate) fn hold(&self) {
        self.locked().is_failing = true;
    }

    /// Writes what is pending, so that whoever reads the files finds it.
    pub fn flush(&self) {
        self.write(&mut self.locked());
    }

    /// Makes all records durable that were taken in before.
    pub fn sync(&self) -> io::Result<()> {
        let last = {
            let mut files = self.locked();
            files.write()?;
            files.is_failing = false;
            let last = files.growing.last();
            let open = last.and_then(|last| Some((last.path.clone(), last.file.as_ref()?)));
            open.map(|(path, file)| Ok::<_, io::Error>((path, file.try_clone()?)))
                .transpose()?
        };
        // Others may go on writing meanwhile: a sync takes long.
        let synced = last.as_ref().map_or(Ok(()), |(_, file)| file.sync_all());
        let synced = synced.and_then(|()| disk::sync_folder(&self.dir));
        if synced.is_err() {
            let mut files = self.locked();
            let is_last = |growing: &&mut Growing| {
                last.as_ref().is_some_and(|(path, _)| *path == growing.path)
            };
            let doubted = files.growing.iter_mut().filter(is_last);
            doubted.for_each(|growing| growing.is_in_doubt = true);
        }
        synced
    }

    /// Compares all files with the checkpoints beside them and with heads that are known from elsewhere.
    pub fn verify(&self, known: &[Known]) -> io::Result<Verified> {
        let (last, _) = {
            let mut files = self.locked();
            self.write(&mut files);
            files.last()
        };
        verify::folder_until(last, &self.dir, known, self.signers())
    }

    fn locked(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts off what is not whole at the end of the last file, and keeps it beside it where there is room.
fn cut(last: &Segment) -> io::Result<()> {
    let file = OpenOptions::UPDATE.open(&last.path)?;
    let bytes = file.bytes()?;
    if bytes > last.bytes {
        let beside = last.path.with_extension(DAMAGED);
        let kept = keep(last, &beside);
        tracing::warn!(
            "{} is whole up to record {} at byte {} of {bytes}; the rest is cut off, and {}",
            last.path.display(),
            last.last,
            last.bytes,
            kept.as_ref().map_or_else(
                |error| format!("cannot be kept: {error}"),
                |()| format!("all of it kept as {}", beside.display())
            )
        );
        // A disk without room must not keep a node from starting.
        kept.or_else(|error| disk::is_full(&error).then_some(()).ok_or(error))?;
        file.set_len(last.bytes)?;
    }
    // Whoever wrote it may have ended before that was durable.
    file.sync_all()
}

fn keep(last: &Segment, beside: &Path) -> io::Result<()> {
    File::create(beside)?.write_all(&disk::read(&last.path)?)
}
