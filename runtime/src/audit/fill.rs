//! Gaps among the records of a node, and how they are filled from another node's.
//!
//! # Invariant
//! What fills a gap leads from the head before it to the head after it; anything else is thrown away.

use std::io::{self, Write as _};

use serde::{Deserialize, Serialize};

use super::Audit;
use super::checkpoint::Checkpoint;
use super::line::{FileHead, Head, Walk};
use super::segment::{self, Lines, Segment};
use crate::disk;

/// What a file is called while a gap is being filled with it.
const COMING: &str = "coming";

/// Records that are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last record before them.
    pub after: u64,
    /// The head with it.
    pub before: Head,
    /// The last one of them.
    pub until: u64,
    /// The head with it.
    pub head: Head,
}

/// Lines of records on their way to another node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The lines, each with its end; none where there is nothing behind the asked record.
    pub lines: String,
    /// Where the node's records begin, where the asked one is older.
    pub begins: Option<Checkpoint>,
}

impl Audit {
    /// The first gap, if there is one.
    pub fn gap(&self) -> Option<Gap> {
        let files = self.locked();
        let (mut after, mut before) = (files.begin.count, files.begin.head);
        // A death may have left files that are in the archive already.
        let kept = files
            .segments
            .iter()
            .filter(|segment| segment.last > files.begin.count);
        for segment in kept {
            if segment.first > after + 1 {
                return Some(Gap {
                    after,
                    before,
                    until: segment.first - 1,
                    head: segment.before,
                });
            }
            (after, before) = (segment.last, segment.head);
        }
        let (until, head) = files.expected;
        (until > after).then_some(Gap {
            after,
            before,
            until,
            head,
        })
    }

    /// Lines behind a record: at least one, and else at most so many bytes of them. Blocks.
    pub fn lines_after(&self, after: u64, limit_bytes: usize) -> io::Result<Batch> {
        let holding = {
            let mut files = self.locked();
            self.write(&mut files);
            let mut segments = files.segments.iter();
            segments
                .find(|segment| (segment.first..=segment.last).contains(&(after + 1)))
                .cloned()
        };
        let Some(segment) = holding else {
            let begins = self.begins()?.filter(|word| word.count > after);
            let lines = String::new();
            return Ok(Batch { lines, begins });
        };
        let mut batch = Batch::default();
        let mut lines = Lines::of(&segment.path)?;
        lines.next_line()?;
        let mut number = segment.first;
        while let Some((_, line)) = lines.next_line()? {
            if number > after {
                if !batch.lines.is_empty() && batch.lines.len() + line.len() > limit_bytes {
                    break;
                }
                batch.lines.push_str(line);
                batch.lines.push('\n');
            }
            number += 1;
            if number > segment.last {
                break;
            }
        }
        Ok(batch)
    }

    /// Fills a gap, or what can be filled of it at once, with lines that are handed over batch by
    /// batch; says whether they fitted. Blocks.
    pub fn fill(&self, gap: &Gap, batches: &[Batch]) -> io::Result<bool> {
        let mut made: Vec<Segment> = Vec::new();
        let mut walk = Walk::before(gap.after + 1, gap.before);
        let mut text = String::new();
        let mut begins = walk;
        for line in batches.iter().flat_map(|batch| batch.lines.lines()) {
            if walk.count == gap.until {
                break;
            }
            if (text.len() + line.len()) as u64 > self.segment_bytes {
                made.push(self.make(&begins, &walk, &text)?);
                text.clear();
                begins = walk;
            }
            if walk.step(line).is_err() {
                return throw_away(&made);
            }
            text.push_str(line);
            text.push('\n');
        }
        if !text.is_empty() {
            made.push(self.make(&begins, &walk, &text)?);
        }
        let is_whole = walk.count == gap.until && walk.head == gap.head;
        if made.is_empty() || (walk.count == gap.until && !is_whole) {
            return throw_away(&made);
        }
        self.take_up(gap, made)
    }

    fn make(&self, begins: &Walk, ends: &Walk, text: &str) -> io::Result<Segment> {
        let (first, before) = (begins.count + 1, begins.head);
        let path = segment::path(&self.dir, first);
        let coming = path.with_extension(COMING);
        drop(disk::remove(&coming));
        let head = FileHead::line(first, &before);
        let mut file = segment::create(&coming)?;
        file.write_all(head.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(Segment {
            path,
            first,
            before,
            last: ends.count,
            head: ends.head,
            bytes: (head.len() + text.len()) as u64,
        })
    }

    /// Gives the files their names, if the gap is still there.
    fn take_up(&self, gap: &Gap, made: Vec<Segment>) -> io::Result<bool> {
        let mut files = self.locked();
        let at = files
            .segments
            .partition_point(|segment| segment.last <= gap.after);
        let is_there = match at.checked_sub(1).and_then(|at| files.segments.get(at)) {
            Some(before) => before.last == gap.after,
            None => gap.after == files.begin.count,
        };
        let is_open = files
            .segments
            .get(at)
            .is_none_or(|next| next.first > gap.until);
        if !is_there || !is_open {
            return throw_away(&made);
        }
        // Only the last file may lose its end: what is behind the gap's beginning is last no more.
        files.settle()?;
        for segment in &made {
            disk::rename(&segment.path.with_extension(COMING), &segment.path)?;
        }
        files.segments.splice(at..at, made);
        disk::sync_folder(&self.dir)?;
        Ok(true)
    }
}

/// Removes what does not fit; says so.
fn throw_away(made: &[Segment]) -> io::Result<bool> {
    for segment in made {
        disk::remove(&segment.path.with_extension(COMING))?;
    }
    Ok(false)
}
