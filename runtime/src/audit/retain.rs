//! Files of records are put into an archive when they are whole, and removed here when they are old or
//! too many.
//!
//! ```text
//! audit-…1.jsonl ─► archive/audit-…1.jsonl (no salts) ─► begins.json (signed) ─► removed here
//!                           checkpoints.jsonl (signed, the last one for its end), signers.jsonl
//! ```
//!
//! # Invariant
//! Nothing is removed that is not in the archive, durably and record for record. What is left begins
//! with a head that a node signed, and verifies from there.
//!
//! # Why
//! The archive's files have the form of an export: whoever holds all of them has the whole chain, and
//! no salt with which a text could be guessed, so erasing a case needs no archive. A chain shows only
//! that its links fit: what nodes signed is put beside it, so that whoever knows the cluster's authority
//! finds an archive that was rewritten, or cut behind what is signed, long after the cluster is gone.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Audit;
use super::begin::{self, Begin};
use super::checkpoint::{self, Checkpoint};
use super::line::{ERASED, FileHead, Head, Kept, Walk, hex};
use super::read::Told;
use super::segment::{self, Lines, Segment};
use super::signers;
use crate::clock::WallMs;
use crate::disk;

/// What a file of the archive is called while it is written.
const COMING: &str = "coming";

/// How long records are kept here, once they are in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The archive's folder.
    pub archive: PathBuf,
    /// No record is removed that is younger.
    pub age: Duration,
    /// The oldest are removed, however young, while there are more bytes than this.
    pub bytes: u64,
}

/// The end of a file of records.
struct End {
    walk: Walk,
    wall_ms: u64,
}

impl Audit {
    /// Puts every file that is whole into the archive, and removes those that are kept no longer;
    /// says how many were removed. `sign` gives this node's word for a head. Blocks.
    pub fn retain(
        &self,
        keep: &Keep,
        now: WallMs,
        sign: impl Fn((u64, u64, Head)) -> Checkpoint,
    ) -> io::Result<usize> {
        self.sync()?;
        let mut ended = self.files();
        // The last one grows.
        let newest = ended.pop().map_or(0, |segment| segment.bytes);
        let begin = self.locked().begin;
        let mut bytes = newest + ended.iter().map(|segment| segment.bytes).sum::<u64>();
        let (mut old, mut next, mut is_kept) = (Vec::new(), begin, false);
        let oldest_ms = now.0.saturating_sub(millis(keep.age));
        disk::make_folders(&keep.archive)?;
        if segment::files(&keep.archive)?.is_empty() && begin.count > 0 {
            // This node came when the oldest were in others' archives already.
            let word = begin::word(&self.dir)?;
            word.map_or(Ok(()), |word| begin::write(&keep.archive, &word))?;
        }
        for segment in ended {
            if (segment.first, segment.before) != (next.count + 1, next.head) {
                // A gap is filled first.
                break;
            }
            let end = archive(&segment, &keep.archive, &next)?;
            next = Begin {
                count: end.walk.count,
                head: end.walk.head,
                index: end.walk.index,
            };
            // What comes after one that is kept is put into the archive, and is kept too.
            is_kept |= end.wall_ms >= oldest_ms && bytes <= keep.bytes;
            if !is_kept {
                bytes -= segment.bytes;
                old.push((segment, next));
            }
        }
        if next.count > begin.count {
            self.vouch(&keep.archive, (next.count, next.index, next.head), &sign)?;
        }
        let Some((_, last)) = old.last() else {
            return Ok(0);
        };
        begin::write(&self.dir, &sign((last.count, last.index, last.head)))?;
        {
            let mut files = self.locked();
            files.begin = *last;
            files.segments.retain(|segment| segment.first > last.count);
        }
        for (segment, _) in &old {
            disk::remove(&segment.path)?;
        }
        disk::sync_folder(&self.dir)?;
        Ok(old.len())
    }
}

impl Audit {
    /// Puts beside an archive what this node signed up to its end, and whose signatures those are.
    fn vouch(
        &self,
        archive: &Path,
        end: (u64, u64, Head),
        sign: impl Fn((u64, u64, Head)) -> Checkpoint,
    ) -> io::Result<()> {
        for signers in self.signers() {
            signers::keep(archive, signers)?;
        }
        let (there, _) = checkpoint::read(archive, &[])?;
        let before = there.last().map_or(0, |last| last.count);
        if before >= end.0 {
            return Ok(());
        }
        let (here, _) = checkpoint::read(&self.dir, &[])?;
        let between = here
            .into_iter()
            .filter(|told| told.count > before && told.count < end.0);
        let mut new: Vec<Checkpoint> = between.collect();
        new.push(sign(end));
        checkpoint::add_all(archive, &new)
    }

    /// Begins where another node's records begin, because nobody has older ones any more; says whether
    /// it could. Blocks.
    pub fn begin_at(&self, word: &Checkpoint) -> io::Result<bool> {
        let signers = self.signers();
        let is_good = signers.is_empty() || word.is_signed(signers);
        let Some(begin) = Begin::of(word).filter(|_| is_good) else {
            return Ok(false);
        };
        let fits = |files: &super::Files| {
            let first = files.segments.first();
            let is_before = first.is_none_or(|first| first.first > begin.count);
            is_before && begin.count > files.begin.count && begin.count <= files.expected.0
        };
        if !fits(&self.locked()) {
            return Ok(false);
        }
        begin::write(&self.dir, word)?;
        self.locked().begin = begin;
        Ok(true)
    }

    /// This node's records begin here, where the oldest are in an archive.
    pub fn begins(&self) -> io::Result<Option<Checkpoint>> {
        begin::word(&self.dir)
    }
}

/// Puts a file into the archive, unless it is there; says where its records end. What is not the next
/// stretch of the chain is not archived.
fn archive(segment: &Segment, folder: &Path, begin: &Begin) -> io::Result<End> {
    let mut lines = Lines::of(&segment.path)?;
    lines.next_line()?;
    let mut walk = Walk::before(segment.first, segment.before);
    walk.index = begin.index;
    let mut text = FileHead::line(segment.first, &segment.before);
    let mut last = String::new();
    while let Some((_, line)) = lines.next_line()? {
        let kept = walk.step(line).map_err(|flaw| {
            let file = segment.path.display();
            let what = format!("{file} is not archived, since it is not whole: {flaw:?}");
            io::Error::new(io::ErrorKind::InvalidData, what)
        })?;
        push(&mut text, &kept);
        last.clear();
        last.push_str(kept.record);
    }
    if walk.count != segment.last || walk.head != segment.head {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let path = segment::path(folder, segment.first);
    if disk::read(&path).ok().as_deref() != Some(text.as_bytes()) {
        segment::put(&path, COMING, text.as_bytes())?;
    }
    let wall_ms = Told::read(&last).map_or(u64::MAX, |told| told.wall_ms);
    Ok(End { walk, wall_ms })
}

/// Adds a record's line without its salt.
pub(super) fn push(text: &mut String, kept: &Kept<'_>) {
    let head = hex(&kept.head);
    for part in [
        "{\"head\":\"",
        &head,
        "\",\"salt\":\"",
        ERASED,
        "\",\"record\":",
        kept.record,
        "}\n",
    ] {
        text.push_str(part);
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
