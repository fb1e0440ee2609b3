//! Whether files of records are what was written: the first place where they are not.
//!
//! # Invariant
//! What is said of a record is said of the first one that does not fit. Files that fit together and
//! come to another head than the one they must come to were rewritten.
//!
//! # Why
//! A chain alone shows only that its links fit. That it is *the* chain is known by heads that are kept
//! elsewhere: in the state of every node, in signed checkpoints, in a file that an auditor took home.
//! What files say of themselves must fit, and proves nothing: whoever rewrote them wrote that too. A
//! checkpoint counts where it can be told whose signature it has.

mod look;

use std::io;
use std::path::{Path, PathBuf};

use super::begin;
use super::checkpoint::{self, Checkpoint};
use super::line::Head;
use super::segment;
use crate::links::Signers;
use look::{Look, Word};

/// A head that is known from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The records until there.
    pub count: u64,
    /// The head with the last of them.
    pub head: Head,
    /// Who knows it, for people: "the state of node n-1".
    pub whose: String,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The record.
    pub record: u64,
    /// The entry that it tells of, or the last one before it that is whole.
    pub index: u64,
    /// The file.
    pub file: PathBuf,
    /// Where in it the line begins.
    pub offset: u64,
    /// What is wrong, in words.
    pub what: String,
}

/// What came of looking at all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The first record that is here.
    pub first: u64,
    /// The last one that was followed.
    pub count: u64,
    /// The head with it.
    pub head: Head,
    /// The entry that it tells of.
    pub index: u64,
    /// Records whose salt was erased.
    pub erased: u64,
    /// Whose heads, known from elsewhere, it came to.
    pub heads: Vec<String>,
    /// Checkpoints that it came to, whose signatures were checked.
    pub signed: u64,
    /// Of an archive: the heads that lie behind its end, of which it says nothing.
    pub behind: Vec<Known>,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
}

/// Looks at the files of a folder, and at the checkpoints beside them; without any signers known these
/// must fit, and count for nothing.
pub fn folder(dir: &Path, known: &[Known], signers: &[Signers]) -> io::Result<Verified> {
    folder_until(u64::MAX, dir, known, signers)
}

/// As [`folder`], and no further than that record: what comes behind it is being written.
pub(super) fn folder_until(
    until: u64,
    dir: &Path,
    known: &[Known],
    signers: &[Signers],
) -> io::Result<Verified> {
    let mut look = Look::new(known);
    look.until = until;
    look_into(look, dir, signers)
}

/// Looks at an archive's folder: it ends before the newest records, so a head may lie behind its end.
pub fn archive(dir: &Path, known: &[Known], signers: &[Signers]) -> io::Result<Verified> {
    let mut look = Look::new(known);
    look.is_archive = true;
    look_into(look, dir, signers)
}

/// Looks at an export.
pub(super) fn export(path: &Path, known: &[Known], signers: &[Signers]) -> io::Result<Verified> {
    let mut look = Look::new(known);
    look.ends = Some(false);
    look.signers = signers.to_vec();
    let fault = look.file(path)?.err();
    let fault = fault.or_else(|| look.missing()).or_else(|| {
        let is_ended = look.ends == Some(true);
        let next = look.walk.count + 1;
        (!is_ended).then(|| {
            look.fault(
                next,
                "the export breaks off: its last line is missing".to_owned(),
            )
        })
    });
    look.verified.fault = fault;
    Ok(look.end())
}

fn look_into(mut look: Look, dir: &Path, signers: &[Signers]) -> io::Result<Verified> {
    let (checkpoints, altered) = checkpoint::read(dir, signers)?;
    look.word = if signers.is_empty() {
        Word::Own
    } else {
        Word::Signed
    };
    let told = checkpoints.iter().filter_map(Checkpoint::known);
    told.for_each(|known| look.expect(known, look.word));
    look.begin = begin::read(dir, signers)?;
    let mut verified = files(look, &segment::files(dir)?)?;
    verified.fault = verified.fault.or(altered);
    Ok(verified)
}

/// Looks at files, the oldest first.
fn files(mut look: Look, files: &[PathBuf]) -> io::Result<Verified> {
    for path in files {
        if look.walk.count >= look.until {
            break;
        }
        if let Err(fault) = look.file(path)? {
            look.verified.fault = Some(fault);
            return Ok(look.end());
        }
    }
    look.verified.fault = look.missing();
    Ok(look.end())
}
