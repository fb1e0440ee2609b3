//! Whether files of records are what was written: the first place where they are not.
//!
//! # Invariant
//! What is said of a record is said of the first one that does not fit. Files that fit together and
//! come to another head than the one they must come to were rewritten.
//!
//! # Why
//! A chain alone shows only that its links fit. That it is *the* chain is known by heads that are kept
//! elsewhere: in the state of every node, in signed checkpoints, in a file that an auditor took home.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::begin::{self, Begin};
use super::checkpoint::{self, Checkpoint};
use super::line::{FileHead, Flaw, Head, Kept, Walk, hex};
use super::segment::{self, Lines};
use crate::links::Signers;

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
    /// Heads known from elsewhere that it came to.
    pub met: u64,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
}

/// Looks at the files of a folder, and at the checkpoints beside them.
pub fn folder(dir: &Path, known: &[Known], signers: Option<&Signers>) -> io::Result<Verified> {
    folder_until(u64::MAX, dir, known, signers)
}

/// As [`folder`], and no further than that record: what comes behind it is being written.
pub(super) fn folder_until(
    until: u64,
    dir: &Path,
    known: &[Known],
    signers: Option<&Signers>,
) -> io::Result<Verified> {
    let (checkpoints, altered) = checkpoint::read(dir, signers)?;
    let signed = checkpoints.iter().filter_map(Checkpoint::known);
    let all: Vec<Known> = known.iter().cloned().chain(signed).collect();
    let begin = begin::read(dir, signers)?;
    let mut verified = files(until, &segment::files(dir)?, &all, begin)?;
    verified.fault = verified.fault.or(altered);
    Ok(verified)
}

/// Looks at an export.
pub(super) fn export(path: &Path, known: &[Known]) -> io::Result<Verified> {
    let mut look = Look::new(known);
    look.ends = Some(false);
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

/// Looks at files, the oldest first.
fn files(until: u64, files: &[PathBuf], known: &[Known], begin: Begin) -> io::Result<Verified> {
    let mut look = Look::new(known);
    look.until = until;
    look.begin = begin;
    for path in files {
        if look.walk.count >= until {
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

struct Look {
    walk: Walk,
    is_begun: bool,
    /// Heads that are still to come, by their count.
    open: BTreeMap<u64, Vec<Known>>,
    /// The last head that was met.
    sure: u64,
    place: (PathBuf, u64),
    /// How far it is looked.
    until: u64,
    /// Where it may begin: what came before is in an archive.
    begin: Begin,
    /// Of an export that begins later: whether a node's word for its beginning is still to come.
    owes_word: bool,
    /// Of an export: whether its last line has come.
    ends: Option<bool>,
    verified: Verified,
}

impl Look {
    fn new(known: &[Known]) -> Self {
        let mut open: BTreeMap<u64, Vec<Known>> = BTreeMap::new();
        for known in known.iter().filter(|known| known.count > 0) {
            open.entry(known.count).or_default().push(known.clone());
        }
        Self {
            walk: Walk::default(),
            is_begun: false,
            open,
            sure: 0,
            place: (PathBuf::new(), 0),
            until: u64::MAX,
            begin: Begin::default(),
            owes_word: false,
            ends: None,
            verified: Verified::default(),
        }
    }

    fn end(self) -> Verified {
        Verified {
            count: self.walk.count,
            head: self.walk.head,
            index: self.walk.index,
            erased: self.walk.erased,
            ..self.verified
        }
    }

    fn fault(&self, record: u64, what: String) -> Fault {
        Fault {
            record,
            index: self.walk.index,
            file: self.place.0.clone(),
            offset: self.place.1,
            what,
        }
    }

    /// What is missing behind the last record.
    fn missing(&self) -> Option<Fault> {
        let (count, known) = self.open.first_key_value()?;
        let (last, whose) = (self.walk.count, &known.first()?.whose);
        let next = last + 1;
        let what = format!(
            "it ends with record {last}; {whose} has {count}: records {next} to {count} are missing"
        );
        Some(self.fault(next, what))
    }

    /// Reads a checkpoint in an export: it stands behind the record that it speaks of.
    fn checkpoint_line(&mut self, line: &str) -> Result<(), Fault> {
        let known = super::export::checkpoint(line).and_then(|checkpoint| checkpoint.known());
        if known.is_none_or(|known| (known.count, known.head) != (self.walk.count, self.walk.head))
        {
            let what = "a checkpoint says something else than the records before it";
            return Err(self.fault(self.walk.count, what.to_owned()));
        }
        self.sure = self.walk.count;
        self.verified.met += 1;
        Ok(())
    }

    /// Reads the last line of an export.
    fn last_line(&mut self, line: &str) -> Result<(), Fault> {
        let told = super::export::end(line);
        let is_met = told == Some((self.walk.count, self.walk.head));
        if self.ends != Some(false) || !is_met {
            let what = "the last line of the export says something else than its records";
            return Err(self.fault(self.walk.count + 1, what.to_owned()));
        }
        self.ends = Some(true);
        self.verified.met += 1;
        Ok(())
    }

    fn file(&mut self, path: &Path) -> io::Result<Result<(), Fault>> {
        let mut lines = Lines::of(path)?;
        self.place = (path.to_owned(), 0);
        let begun = lines
            .next_line()?
            .and_then(|(_, line)| FileHead::read(line));
        let next = self.walk.count + 1;
        let Some((first, before)) = begun else {
            let what = "the first line of the file is not what was written".to_owned();
            return Ok(Err(self.fault(next, what)));
        };
        if let Err(fault) = self.begin(first, before) {
            return Ok(Err(fault));
        }
        while let Some((offset, line)) = lines.next_line()? {
            if self.walk.count >= self.until {
                // What comes behind is being written, and is never a record of the same number.
                let next = self.walk.count + 1;
                if Kept::read(line).is_some_and(|kept| kept.number < next) {
                    self.place.1 = offset;
                    let what = format!("record {} stands twice", self.walk.count);
                    return Ok(Err(self.fault(next, what)));
                }
                break;
            }
            self.place.1 = offset;
            let next = self.walk.count + 1;
            let is_word = self.ends.is_some() && line.starts_with(super::export::CHECKPOINT);
            if std::mem::take(&mut self.owes_word) && !is_word {
                let what = format!("records 1 to {} are missing", self.walk.count);
                return Ok(Err(self.fault(1, what)));
            }
            if is_word {
                if let Err(fault) = self.checkpoint_line(line) {
                    return Ok(Err(fault));
                }
                continue;
            }
            if self.ends.is_some() && line.starts_with(super::export::END) {
                if let Err(fault) = self.last_line(line) {
                    return Ok(Err(fault));
                }
                continue;
            }
            if self.ends == Some(true) {
                let what = "something stands behind the last line".to_owned();
                return Ok(Err(self.fault(next, what)));
            }
            if let Err(flaw) = self.walk.step(line) {
                return Ok(Err(self.fault(next, said(flaw, next))));
            }
            if let Err(fault) = self.meet() {
                return Ok(Err(fault));
            }
        }
        self.place.1 = lines.offset();
        Ok(Ok(()))
    }

    /// Goes on with the file that begins there.
    fn begin(&mut self, first: u64, before: Head) -> Result<(), Fault> {
        let next = self.walk.count + 1;
        if !self.is_begun {
            self.is_begun = true;
            self.verified.first = first;
            if first > 1 {
                return self.begin_later(first, before);
            }
            if before != [0; 32] {
                let what = "the head before the first record is not the one of an empty chain";
                return Err(self.fault(first, what.to_owned()));
            }
            self.walk = Walk::before(first, before);
            return Ok(());
        }
        if first > next {
            let what = format!("records {next} to {} are missing", first - 1);
            return Err(self.fault(next, what));
        }
        if first < next {
            let what = format!("the file begins with record {first}; {next} is next");
            return Err(self.fault(next, what));
        }
        if before != self.walk.head {
            let what = format!(
                "the file begins with another head than that of record {}: one of the two was altered",
                self.walk.count
            );
            return Err(self.fault(first, what));
        }
        Ok(())
    }

    /// Begins behind records that are in an archive.
    fn begin_later(&mut self, first: u64, before: Head) -> Result<(), Fault> {
        let Begin { count, head, .. } = self.begin;
        self.owes_word = self.ends.is_some();
        if !self.owes_word && first > count + 1 {
            let what = format!("records {} to {} are missing", count + 1, first - 1);
            return Err(self.fault(count + 1, what));
        }
        self.walk = Walk::before(first, before);
        // What is known of older heads says nothing of what is here.
        self.open = self.open.split_off(&(first - 1));
        if !self.owes_word {
            let whose = "the word of a node for where its records begin".to_owned();
            let known = Known { count, head, whose };
            self.open.entry(count).or_default().push(known);
        }
        self.meet()
    }

    /// Compares with what is known of the head here.
    fn meet(&mut self) -> Result<(), Fault> {
        let Some(here) = self.open.remove(&self.walk.count) else {
            return Ok(());
        };
        for known in here {
            if known.head != self.walk.head {
                let what = format!(
                    "every record fits the one before it, but {} has head {} where this comes to {}: \
                     it was rewritten somewhere from record {} to record {}",
                    known.whose,
                    hex(&known.head),
                    hex(&self.walk.head),
                    self.sure + 1,
                    known.count
                );
                return Err(self.fault(self.sure + 1, what));
            }
            self.verified.met += 1;
        }
        self.sure = self.walk.count;
        Ok(())
    }
}

fn said(flaw: Flaw, next: u64) -> String {
    match flaw {
        Flaw::NoRecord => format!("what should be record {next} is none"),
        Flaw::OutOfOrder { found } if found > next => {
            format!("record {found} stands where record {next} should be")
        }
        Flaw::OutOfOrder { found } => {
            format!("record {found} stands here again; record {next} is next")
        }
        Flaw::Altered => format!("record {next} does not follow from the one before it"),
        Flaw::OtherSalt => format!("the salt of record {next} was altered"),
    }
}
