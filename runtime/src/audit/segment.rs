//! One file of records: a stretch of the chain without a hole.
//!
//! # Invariant
//! A file is named after its first record, begins with the head before it, and only grows until the
//! next one is begun.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::line::{FileHead, Head, MAX_LINE_BYTES, Walk};
use crate::disk::{self, File, OpenOptions};

const PREFIX: &str = "audit-";
const SUFFIX: &str = ".jsonl";

/// What is known of a file of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The file.
    pub path: PathBuf,
    /// The number of its first record.
    pub first: u64,
    /// The head before that.
    pub before: Head,
    /// The number of its last record; one less than `first` while it has none.
    pub last: u64,
    /// The head with it.
    pub head: Head,
    /// How long it is.
    pub bytes: u64,
}

/// The path of the file that begins with this record.
pub fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{PREFIX}{first:020}{SUFFIX}"))
}

/// The files of a folder, the oldest first.
pub fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in disk::list(dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Begins a file anew.
pub fn create(path: &Path) -> io::Result<File> {
    let anew = OpenOptions {
        create_new: true,
        ..OpenOptions::GROW
    };
    anew.open(path)
}

/// Puts bytes in a file's place, or where there was none; durable when this returns. Until then they
/// stand beside it, under another ending.
pub fn put(path: &Path, ending: &str, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension(ending);
    drop(disk::remove(&new));
    let mut file = create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    disk::rename(&new, path)?;
    disk::sync_folder(path.parent().unwrap_or(path))
}

/// Opens a file to be added to.
pub fn grow(path: &Path) -> io::Result<File> {
    OpenOptions::GROW.open(path)
}

/// Lines of a file, each with where it begins; what is longer than any line is its last.
pub struct Lines {
    file: BufReader<File>,
    offset: u64,
    line: Vec<u8>,
}

impl Lines {
    /// From the beginning of a file.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufReader::with_capacity(256 * 1024, File::open(path)?),
            offset: 0,
            line: Vec::new(),
        })
    }

    /// The next line with its offset, without its end; none at the end. A line without an end, or
    /// one that is no text, is given as an empty one: no record is.
    pub fn next_line(&mut self) -> io::Result<Option<(u64, &str)>> {
        self.line.clear();
        let offset = self.offset;
        let mut limited = (&mut self.file).take(MAX_LINE_BYTES as u64);
        let read = limited.read_until(b'\n', &mut self.line)?;
        self.offset += read as u64;
        if read == 0 {
            return Ok(None);
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or_default();
        Ok(Some((
            offset,
            std::str::from_utf8(line).unwrap_or_default(),
        )))
    }

    /// Where the next line begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

impl Segment {
    /// What stands in a file as far as it is whole: until where, and the last record there. None
    /// where not even its first line is.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut lines = Lines::of(path)?;
        let Some((first, before)) = lines
            .next_line()?
            .and_then(|(_, line)| FileHead::read(line))
        else {
            return Ok(None);
        };
        let mut walk = Walk::before(first, before);
        let mut bytes = lines.offset();
        while let Some((_, line)) = lines.next_line()? {
            if walk.step(line).is_err() {
                break;
            }
            bytes = lines.offset();
        }
        Ok(Some(Self {
            path: path.to_owned(),
            first,
            before,
            last: walk.count,
            head: walk.head,
            bytes,
        }))
    }
}
