//! An export: the whole chain in one file, which anyone can check without a node.
//!
//! ```text
//! {"format":"domo-audit-1","first":1,"before":"00…"}
//! {"head":"ab…","salt":"----…","record":{"n":1,…}}
//! …
//! {"checkpoint":{"node":"n-1","count":2,"index":5,"head":"cd…","wall_ms":…,"certificate":…,"signature":…}}
//! {"end":{"count":2,"head":"cd…"}}
//! ```
//!
//! # Invariant
//! It has the form of the node's own files, with every salt left out: whoever is handed it cannot
//! guess texts. Where the oldest records are in an archive, it begins behind them, and a checkpoint
//! stands for the head before.
//!
//! # Why
//! To check it: begin with the 32 bytes of `before`; for each line take the bytes from behind
//! `"record":` to before its last brace, and go on with the SHA-256 of the head so far and those bytes;
//! it must be the line's `head`, `n` must rise by one from `first`, and the end must be reached. A
//! checkpoint is the word of a node for the head before it: its signature is ECDSA (P-256, SHA-256)
//! over `domo-audit-1 checkpoint NODE COUNT INDEX HEAD WALL_MS`, by the key of its certificate, which the
//! cluster's authority signed. Whoever forges an export forges what it says of itself: only a head or an
//! authority that was kept elsewhere is something to compare it with.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Audit;
use super::begin;
use super::checkpoint::{self, Checkpoint};
use super::line::{FileHead, Head, Kept, hex, unhex};
use super::segment::{Lines, Segment};
use super::verify::{Known, Verified};
use crate::links::Signers;

/// How the last line begins.
pub(super) const END: &str = "{\"end\":";
/// How a checkpoint's line begins.
pub(super) const CHECKPOINT: &str = "{\"checkpoint\":";
/// Bytes that are handed over at once.
const PIECE_BYTES: usize = 256 * 1024;

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct LastLine {
    end: End,
}

#[derive(Debug, Serialize, Deserialize)]
struct End {
    count: u64,
    head: String,
}

/// What the last line of an export says.
pub(super) fn end(line: &str) -> Option<(u64, Head)> {
    let last: LastLine = serde_json::from_str(line).ok()?;
    Some((last.end.count, unhex(&last.end.head)?))
}

/// What a checkpoint's line says.
pub(super) fn checkpoint(line: &str) -> Option<Checkpoint> {
    let text = line.strip_prefix(CHECKPOINT)?.strip_suffix('}')?;
    serde_json::from_str(text).ok()
}

/// An export on its way, piece by piece.
pub struct Export {
    segments: std::vec::IntoIter<Segment>,
    lines: Option<Lines>,
    until: (u64, Head),
    /// Lines that stand behind a record, by its number.
    checkpoints: BTreeMap<u64, String>,
    is_begun: bool,
    is_over: bool,
}

impl Audit {
    /// Begins an export of everything up to a record that is here.
    pub fn export(&self, until: (u64, Head)) -> io::Result<Export> {
        let (kept, _) = checkpoint::read(&self.dir, self.signers())?;
        let mut checkpoints: BTreeMap<u64, String> = BTreeMap::new();
        for checkpoint in kept.into_iter().chain(begin::word(&self.dir)?) {
            let line = serde_json::to_string(&checkpoint).map_err(io::Error::other)?;
            let lines = checkpoints.entry(checkpoint.count).or_default();
            *lines = [lines.as_str(), CHECKPOINT, &line, "}\n"].concat();
        }
        Ok(Export {
            segments: self.files().into_iter(),
            lines: None,
            until,
            checkpoints,
            is_begun: false,
            is_over: false,
        })
    }
}

impl Export {
    /// The next piece; none at the end. Blocks.
    pub fn next_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut piece = String::new();
        while !self.is_over && piece.len() < PIECE_BYTES {
            self.step(&mut piece)?;
        }
        Ok((!piece.is_empty()).then(|| piece.into_bytes()))
    }

    fn step(&mut self, piece: &mut String) -> io::Result<()> {
        let Some(lines) = &mut self.lines else {
            let Some(segment) = self
                .segments
                .next()
                .filter(|next| next.first <= self.until.0)
            else {
                self.finish(piece);
                return Ok(());
            };
            let mut lines = Lines::of(&segment.path)?;
            lines.next_line()?;
            self.lines = Some(lines);
            if !self.is_begun {
                self.is_begun = true;
                piece.push_str(&FileHead::line(segment.first, &segment.before));
                // Where the oldest are in an archive: a node's word for the head before.
                let begin = self.checkpoints.get(&(segment.first - 1));
                piece.push_str(begin.map_or("", String::as_str));
            }
            return Ok(());
        };
        let Some((_, line)) = lines.next_line()? else {
            self.lines = None;
            return Ok(());
        };
        let Some(kept) = Kept::read(line) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a line of the records is none: see `domo audit verify`",
            ));
        };
        if kept.number > self.until.0 {
            self.finish(piece);
            return Ok(());
        }
        super::retain::push(piece, &kept);
        piece.push_str(
            self.checkpoints
                .get(&kept.number)
                .map_or("", String::as_str),
        );
        Ok(())
    }

    fn finish(&mut self, piece: &mut String) {
        self.is_over = true;
        if !self.is_begun {
            piece.push_str(&FileHead::line(1, &[0; 32]));
        }
        let count = self.until.0.to_string();
        let head = hex(&self.until.1);
        for part in [END, "{\"count\":", &count, ",\"head\":\"", &head, "\"}}\n"] {
            piece.push_str(part);
        }
    }
}

/// Checks an export by itself, against heads that are known from elsewhere, and where it is known who
/// signs, the signatures in it. Blocks.
pub fn verify(path: &Path, known: &[Known], signers: &[Signers]) -> io::Result<Verified> {
    super::verify::export(path, known, signers)
}
