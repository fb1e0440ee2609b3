//! A roster: the people of an organisation, read from the spreadsheet that it keeps of them.
//!
//! ```text
//! bytes ──► kind: what is it really? ──┬─► workbook (.xlsx) ──┐
//!                                      └─► table (.csv) ──────┤ rows, one at a time
//!                                                             ▼
//!               heading: which column is what? ──────────► people: checked, each once
//! ```
//!
//! A row is a person where it has a username and an employee id; the columns are known by their
//! headings, English or Chinese, which may stand in any of the first rows of any visible sheet:
//! [`heading`] has the list. A column of names is taken along where there is one.
//!
//! # Invariant
//! All or nothing: a roster comes back only when every row of it is a person, and no username and
//! no employee id stands twice. Memory and time are bounded by the limits below, whatever the file
//! says of itself.
//!
//! # Why
//! Only `.xlsx` and CSV: the readers of the other spreadsheet formats lay a whole sheet out before
//! they show a cell, and a file of a few hundred bytes can claim seventeen thousand million of them.
//! Every spreadsheet program saves one of the two.

use std::path::Path;

use crate::intake;
use crate::mistake::{Mistakes, Place, Wrong};

mod cell;
pub mod heading;
mod kind;
mod people;
mod table;
mod workbook;

/// A file of 50,000 people has about 2 MiB; more is no roster.
pub const MOST_FILE_BYTES: u64 = 32 << 20;

/// What a packed file may unpack to: 50,000 people with twenty columns have a quarter of it.
pub const MOST_UNPACKED_BYTES: u64 = 128 << 20;

/// The largest organisation that is taken at once: its accounts are one entry of the ledger.
pub const MOST_PEOPLE: usize = 50_000;

/// A title, a date, a logo stand above the headings; below this there are none any more.
pub const MOST_ROWS_ABOVE: usize = 50;

/// Somebody on a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What they are called where they log in, in lower case.
    pub username: String,
    /// Their number among the organisation's people.
    pub employee: String,
    /// What they are called by people.
    pub display: Option<String>,
}

/// What a file says of people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// The people, in the order of the file.
    pub people: Vec<Listed>,
    /// The sheets that were read; a CSV file has none.
    pub read: Vec<String>,
    /// The sheets that were left, each with the reason.
    pub left: Vec<String>,
}

/// Reads a roster from a file, or says everything that is wrong with it.
pub fn read(path: &Path) -> Result<Roster, Mistakes> {
    let name = path.display().to_string();
    match intake::read(path, "the roster", MOST_FILE_BYTES) {
        Ok(bytes) => parse(&name, &bytes),
        Err(wrong) => Err(only(&name, wrong)),
    }
}

/// Reads a roster from the bytes of a file of that name.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Roster, Mistakes> {
    let is_fit = intake::check_len(bytes, "the roster", MOST_FILE_BYTES);
    match is_fit.and_then(|()| kind::of(bytes)) {
        Ok(kind::Kind::Workbook) => workbook::parse(name, bytes),
        Ok(kind::Kind::Text) => table::parse(name, bytes),
        Err(wrong) => Err(only(name, wrong)),
    }
}

/// The one thing that is wrong with a file as a whole.
fn only(name: &str, wrong: Wrong) -> Mistakes {
    let mut mistakes = Mistakes::default();
    mistakes.add(Place::File(name.to_owned()), wrong);
    mistakes
}

/// Refuses with a sentence.
fn refused(sentence: &str) -> Wrong {
    Wrong::Refused(sentence.to_owned())
}
