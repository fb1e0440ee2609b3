//! The journal: each group commit as one frame and one fdatasync, in one of two files in turn.
//!
//! ```text
//! journal.a   head │ frame 7 │ frame 8 │ frame 9 │ full
//! journal.b   head │ frame 10 │ frame 11 │ torn ✂
//! ```
//!
//! # Invariant
//! A frame is written only after the one before it is durable, and a file is taken up again only
//! after the engine has all of its frames durably. So a bad frame with a good one behind it is
//! damage, and only what comes after the last good frame can be a torn write.
//!
//! # Why
//! Neither engine can append with one write into room that the file already has: sled and redb
//! grow their files, which makes each fdatasync a commit of the file system's own journal as well,
//! and after a power cut neither says what it has lost. The journal is both the fast way to be
//! durable and the witness of what the engine must still hold.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::frame::{self, Frame};
use super::{StoreError, damaged};
use crate::codec;
use crate::disk::{self, File, OpenOptions};

/// What a file's head takes: a block, so that no frame shares one with it.
const FILE_HEAD_BYTES: usize = 4096;
/// One file by default: some thousands of entries, and read again in a few milliseconds.
pub const FILE_BYTES: usize = 4 * 1024 * 1024;
const NAMES: [&str; 2] = ["journal.a", "journal.b"];

/// What stands at the beginning of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// Which run of the journal the file is part of; the higher is the newer.
    generation: u64,
    /// The number of its first frame.
    first_seq: u64,
    /// Up to which frame the engine had everything durably when this was written.
    settled: u64,
}

/// What was found of the journal at opening.
#[derive(Debug)]
pub(super) struct Found {
    files: Vec<FoundFile>,
}

#[derive(Debug)]
struct FoundFile {
    path: PathBuf,
    head: Option<Head>,
    frames: Vec<(usize, Frame)>,
}

/// The journal, ready to be written.
#[derive(Debug)]
pub(super) struct Journal {
    dir: PathBuf,
    files: [File; 2],
    active: usize,
    generation: u64,
    file_bytes: usize,
    at: usize,
    next_seq: u64,
    previous: u32,
    /// The last frame in the file that is not being written.
    other_last: u64,
}

/// Makes the files of a new store's journal.
pub(super) fn create(dir: &Path, file_bytes: usize) -> io::Result<()> {
    NAMES
        .iter()
        .try_for_each(|name| write_anew(dir, name, &[], file_bytes).map(drop))
}

/// Reads what there is of the journal; nothing is changed.
pub(super) fn read(dir: &Path, file_bytes: usize) -> Result<Found, StoreError> {
    let mut files = Vec::new();
    for name in NAMES {
        let path = dir.join(name);
        let bytes = match disk::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(StoreError::failed("read the journal", error)),
        };
        if bytes.len() != file_bytes {
            let place = format!("{} has {} bytes", path.display(), bytes.len());
            return Err(damaged(format!("{place} instead of {file_bytes}")));
        }
        let (head, _) = bytes.split_at(64);
        files.push(FoundFile {
            path,
            head: head_of(head),
            frames: frame::find_all(&bytes),
        });
    }
    let found = Found { files };
    if found.files.len() == 1 && found.last_generation() > 0 {
        let place = format!(
            "one of the journal's two files in {} is gone",
            dir.display()
        );
        return Err(damaged(place));
    }
    Ok(found)
}

fn head_of(bytes: &[u8]) -> Option<Head> {
    let head = bytes.first_chunk()?;
    let length = codec::body_length(codec::JOURNAL_HEAD, head).ok()?;
    let sealed = bytes.get(..codec::HEAD_BYTES + length)?;
    codec::decode(codec::JOURNAL_HEAD, sealed).ok()
}

impl Found {
    /// Whether there is no journal yet, or one that was only half made.
    pub fn is_new(&self) -> bool {
        self.files.len() < NAMES.len()
    }

    /// The frames after `settled`, which is what the engine says that it has; refuses damage.
    pub fn frames_after(&self, settled: u64) -> Result<Vec<Frame>, StoreError> {
        let witnessed = self.heads().map(|head| head.settled).max().unwrap_or(0);
        if settled < witnessed {
            return Err(damaged(format!(
                "the engine's file holds what the journal's frame {settled} left, \
                 and was durable to frame {witnessed}"
            )));
        }
        let mut frames: Vec<(&FoundFile, usize, &Frame)> = self
            .files
            .iter()
            .flat_map(|file| {
                file.frames
                    .iter()
                    .map(move |(at, frame)| (file, *at, frame))
            })
            .filter(|(_, _, frame)| frame.seq > settled)
            .collect();
        // Of a number that was given twice, the newer run's frame is the one that was answered.
        frames.sort_by_key(|(_, _, frame)| (frame.seq, std::cmp::Reverse(frame.generation)));
        frames.dedup_by_key(|(_, _, frame)| frame.seq);
        let mut expected = settled + 1;
        let mut previous: Option<u32> = None;
        for (file, at, frame) in &frames {
            let is_next = frame.seq == expected;
            if !is_next || previous.is_some_and(|previous| previous != frame.previous) {
                return Err(damaged(format!(
                    "{}: frame {expected}, before byte {at}, is missing or damaged, \
                     and frame {} behind it is whole",
                    file.path.display(),
                    frame.seq
                )));
            }
            (expected, previous) = (expected + 1, Some(frame.sum));
        }
        Ok(frames
            .into_iter()
            .map(|(_, _, frame)| frame.clone())
            .collect())
    }

    fn heads(&self) -> impl Iterator<Item = Head> {
        self.files.iter().filter_map(|file| file.head)
    }

    fn last_generation(&self) -> u64 {
        let frames = self.files.iter().flat_map(|file| &file.frames);
        let of_frames = frames.map(|(_, frame)| frame.generation);
        self.heads()
            .map(|head| head.generation)
            .chain(of_frames)
            .max()
            .unwrap_or(0)
    }
}

impl Journal {
    /// Begins a new run after `settled`, up to which the engine has everything durably.
    pub fn begin(dir: &Path, found: &Found, settled: u64, file_bytes: usize) -> io::Result<Self> {
        let [first, second] = NAMES.map(|name| OpenOptions::UPDATE.open(&dir.join(name)));
        let generation_of = |at: usize| {
            let file = found.files.get(at);
            file.and_then(|file| file.head)
                .map_or(0, |head| head.generation)
        };
        let mut journal = Self {
            dir: dir.to_owned(),
            files: [first?, second?],
            // The older file goes first, so that a head that is torn here costs nothing.
            active: usize::from(generation_of(1) < generation_of(0)),
            generation: found.last_generation(),
            file_bytes,
            at: FILE_HEAD_BYTES,
            next_seq: settled + 1,
            previous: 0,
            other_last: settled,
        };
        journal.begin_file(settled)?;
        Ok(journal)
    }

    /// Whether a frame with such a body fits into the file that is being written.
    pub fn has_room(&self, body_bytes: usize) -> bool {
        self.at + frame::framed_bytes(body_bytes) <= self.file_bytes
    }

    /// The frame up to which the engine must have everything durably before [`Journal::turn`].
    pub fn turns_after(&self) -> u64 {
        self.other_last
    }

    /// Goes on in the other file; the engine has everything up to `settled` durably.
    pub fn turn(&mut self, settled: u64) -> io::Result<()> {
        self.active = 1 - self.active;
        let begun = self.begin_file(settled);
        if begun.is_err() {
            // The full file is still the one that is written: its frames stand nowhere else.
            self.active = 1 - self.active;
        } else {
            self.other_last = self.next_seq - 1;
        }
        begun
    }

    /// Makes a body durable as the next frame, and gives its number. One write, one fdatasync.
    ///
    /// After an error nothing is known of the file: only [`Journal::replace`] may follow.
    pub fn append(&mut self, body: &[u8]) -> io::Result<u64> {
        let (bytes, sum) = frame::encode(self.generation, self.next_seq, self.previous, body);
        let file = &self.files[self.active];
        file.write_all_at(&bytes, self.at as u64)?;
        file.sync_data()?;
        self.at += bytes.len();
        self.previous = sum;
        self.next_seq += 1;
        Ok(self.next_seq - 1)
    }

    /// Puts a new file in the place of one that failed, with all frames after `settled`.
    ///
    /// A second fsync of a file that failed once would say that it went well, whatever the disk has.
    pub fn replace(&mut self, settled: u64, bodies: &[&[u8]]) -> io::Result<()> {
        let generation = self.generation + 1;
        let mut previous = 0;
        let mut frames = Vec::new();
        for (seq, body) in (settled + 1..).zip(bodies) {
            let (bytes, sum) = frame::encode(generation, seq, previous, body);
            frames.extend(bytes);
            previous = sum;
        }
        let head = Head {
            generation,
            first_seq: settled + 1,
            settled,
        };
        let mut bytes = encode_head(&head)?;
        bytes.extend(&frames);
        let name = NAMES[self.active];
        self.files[self.active] = write_anew(&self.dir, name, &bytes, self.file_bytes)?;
        self.generation = generation;
        self.at = bytes.len();
        self.previous = previous;
        self.next_seq = settled + 1 + bodies.len() as u64;
        Ok(())
    }

    fn begin_file(&mut self, settled: u64) -> io::Result<()> {
        let head = Head {
            generation: self.generation + 1,
            first_seq: self.next_seq,
            settled,
        };
        let file = &self.files[self.active];
        file.write_all_at(&encode_head(&head)?, 0)?;
        file.sync_data()?;
        self.generation = head.generation;
        self.at = FILE_HEAD_BYTES;
        Ok(())
    }
}

fn encode_head(head: &Head) -> io::Result<Vec<u8>> {
    let mut bytes = codec::encode(codec::JOURNAL_HEAD, head).map_err(io::Error::other)?;
    bytes.resize(FILE_HEAD_BYTES, 0);
    Ok(bytes)
}

/// Writes a whole file, blocks and all, and gives it its name only when it is durable.
fn write_anew(dir: &Path, name: &str, begins_with: &[u8], file_bytes: usize) -> io::Result<File> {
    let path = dir.join(format!("{name}.new"));
    let anew = OpenOptions {
        create: true,
        truncate: true,
        ..OpenOptions::UPDATE
    };
    let file = anew.open(&path)?;
    file.write_all_at(begins_with, 0)?;
    let zeros = vec![0; 256 * 1024];
    for at in (begins_with.len()..file_bytes).step_by(zeros.len()) {
        let count = zeros.len().min(file_bytes - at);
        file.write_all_at(&zeros[..count], at as u64)?;
    }
    file.sync_all()?;
    disk::rename(&path, &dir.join(name))?;
    disk::sync_folder(dir)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: usize = 64 * 1024;

    #[test]
    fn a_turn_that_fails_again_and_again_writes_over_no_frame_of_the_full_file() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path(), BYTES).unwrap();
        let found = read(dir.path(), BYTES).unwrap();
        let mut journal = Journal::begin(dir.path(), &found, 0, BYTES).unwrap();
        let body = [7; 4096];
        let mut last = 0;
        while journal.has_room(body.len()) {
            last = journal.append(&body).unwrap();
        }
        let other = 1 - journal.active;
        let only_read = File::open(&dir.path().join(NAMES[other])).unwrap();
        let file = std::mem::replace(&mut journal.files[other], only_read);
        for _ in 0..2 {
            journal.turn(0).unwrap_err();
        }
        journal.files[other] = file;
        journal.turn(0).unwrap();
        journal.append(&body).unwrap();
        let found = read(dir.path(), BYTES).unwrap();
        let frames = found.frames_after(0).unwrap();
        let seqs: Vec<u64> = frames.iter().map(|frame| frame.seq).collect();
        assert_eq!(seqs, (1..=last + 1).collect::<Vec<_>>());
    }
}
