//! The way through files of records, and what must be come to on it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::super::begin::Begin;
use super::super::checkpoint::{Checkpoint, UNSIGNED};
use super::super::line::{FileHead, Flaw, Head, Kept, Walk, hex};
use super::super::segment::Lines;
use super::{Fault, Known, Verified};
use crate::links::Signers;

/// What a head is worth that must be come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It was kept elsewhere.
    Kept,
    /// A node signed it.
    Signed,
    /// The files say so themselves.
    Own,
}

/// How far it was looked, and what must still come.
pub(super) struct Look {
    pub walk: Walk,
    is_begun: bool,
    /// Heads that are still to come, by their count.
    open: BTreeMap<u64, Vec<(Known, Word)>>,
    /// The last head that was met, of those that prove something.
    sure: u64,
    place: (PathBuf, u64),
    /// How far it is looked.
    pub until: u64,
    /// Where it may begin: what came before is in an archive.
    pub begin: Begin,
    /// What a node's word for the beginning is worth.
    pub word: Word,
    /// Who may sign an export's checkpoints; nobody where that is not known.
    pub signers: Vec<Signers>,
    /// It ends before the newest records.
    pub is_archive: bool,
    /// Of an export that begins later: whether a node's word for its beginning is still to come.
    owes_word: bool,
    /// Of an export: whether its last line has come.
    pub ends: Option<bool>,
    pub verified: Verified,
}

impl Look {
    pub fn new(known: &[Known]) -> Self {
        let mut look = Self {
            walk: Walk::default(),
            is_begun: false,
            open: BTreeMap::new(),
            sure: 0,
            place: (PathBuf::new(), 0),
            until: u64::MAX,
            begin: Begin::default(),
            word: Word::Own,
            signers: Vec::new(),
            is_archive: false,
            owes_word: false,
            ends: None,
            verified: Verified::default(),
        };
        let known = known.iter().filter(|known| known.count > 0);
        known.for_each(|known| look.expect(known.clone(), Word::Kept));
        look
    }

    /// Says that it must come to this head.
    pub fn expect(&mut self, known: Known, word: Word) {
        let open = self.open.entry(known.count).or_default();
        open.push((known, word));
    }

    pub fn end(self) -> Verified {
        Verified {
            count: self.walk.count,
            head: self.walk.head,
            index: self.walk.index,
            erased: self.walk.erased,
            ..self.verified
        }
    }

    pub fn fault(&self, record: u64, what: String) -> Fault {
        Fault {
            record,
            index: self.walk.index,
            file: self.place.0.clone(),
            offset: self.place.1,
            what,
        }
    }

    /// What is missing behind the last record.
    pub fn missing(&mut self) -> Option<Fault> {
        if self.is_archive {
            // Its own checkpoints go no further than it does; whatever else may be of later.
            for open in self.open.values_mut() {
                let behind = open.extract_if(.., |(_, word)| *word == Word::Kept);
                self.verified.behind.extend(behind.map(|(known, _)| known));
            }
            self.open.retain(|_, open| !open.is_empty());
        }
        let (count, known) = self.open.first_key_value()?;
        let (last, whose) = (self.walk.count, &known.first()?.0.whose);
        let next = last + 1;
        let what = format!(
            "it ends with record {last}; {whose} has {count}: records {next} to {count} are missing"
        );
        Some(self.fault(next, what))
    }

    /// Reads a checkpoint in an export: it stands behind the record that it speaks of.
    fn checkpoint_line(&mut self, line: &str) -> Result<(), Fault> {
        let told = super::super::export::checkpoint(line);
        let head = told.as_ref().and_then(Checkpoint::known);
        if head.is_none_or(|head| (head.count, head.head) != (self.walk.count, self.walk.head)) {
            let what = "a checkpoint says something else than the records before it";
            return Err(self.fault(self.walk.count, what.to_owned()));
        }
        if self.signers.is_empty() {
            return Ok(());
        }
        if !told.is_some_and(|told| told.is_signed(&self.signers)) {
            return Err(self.fault(self.walk.count, UNSIGNED.to_owned()));
        }
        self.sure = self.walk.count;
        self.verified.signed += 1;
        Ok(())
    }

    /// Reads the last line of an export.
    fn last_line(&mut self, line: &str) -> Result<(), Fault> {
        let told = super::super::export::end(line);
        let is_met = told == Some((self.walk.count, self.walk.head));
        if self.ends != Some(false) || !is_met {
            let what = "the last line of the export says something else than its records";
            return Err(self.fault(self.walk.count + 1, what.to_owned()));
        }
        self.ends = Some(true);
        Ok(())
    }

    pub fn file(&mut self, path: &Path) -> io::Result<Result<(), Fault>> {
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
            let is_word = self.ends.is_some() && line.starts_with(super::super::export::CHECKPOINT);
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
            if self.ends.is_some() && line.starts_with(super::super::export::END) {
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
            self.expect(Known { count, head, whose }, self.word);
        }
        self.meet()
    }

    /// Compares with what is known of the head here.
    fn meet(&mut self) -> Result<(), Fault> {
        let Some(here) = self.open.remove(&self.walk.count) else {
            return Ok(());
        };
        for (known, word) in here {
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
            match word {
                Word::Kept => self.verified.heads.push(known.whose),
                Word::Signed => self.verified.signed += 1,
                Word::Own => continue,
            }
            self.sure = self.walk.count;
        }
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
