//! Rows become people: the headings are found, each row is checked, and nobody stands twice.
//!
//! # Why
//! `00123` and `123` are two numbers to a computer and one to the person who typed them: which of
//! them a cell shows depends on its format, so both in one roster are refused as the same.

use std::collections::BTreeMap;

use crate::mistake::{Mistakes, Place, Wrong, shown};

use super::cell::{Row, Value, letters};
use super::heading::{Column, column};
use super::{Listed, MOST_PEOPLE, MOST_ROWS_ABOVE};

/// As long as a name or an employee id may be.
const LONGEST_CHARS: usize = 63;

/// A person's name in a list has one line of this many bytes at most.
const LONGEST_DISPLAY_BYTES: usize = 200;

/// Says where a cell is: the row from 1, the column from 0.
pub(super) type Where<'a> = &'a dyn Fn(usize, usize) -> Place;

/// Where the columns of a sheet are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    username: usize,
    employee: usize,
    display: Option<usize>,
}

/// A sheet as its rows come in.
#[derive(Default)]
pub(super) struct Sheet {
    columns: Option<Columns>,
    rows_seen: usize,
    /// Half a heading that was seen: it makes the better message.
    half: Option<(Column, Place)>,
    is_spoiled: bool,
}

/// The people who were found so far, and all that is wrong.
#[derive(Default)]
pub(super) struct Census {
    pub people: Vec<Listed>,
    pub mistakes: Mistakes,
    usernames: BTreeMap<String, Place>,
    employees: BTreeMap<String, (String, Place)>,
}

impl Sheet {
    /// Takes the next row; `false` says that looking on makes no sense.
    pub fn take(&mut self, row: &Row, at: Where<'_>, census: &mut Census) -> bool {
        self.rows_seen += usize::from(!row.cells.is_empty());
        match self.columns {
            None => self.look_for_headings(row, at, census),
            Some(columns) => census.take(row, columns, at),
        }
        let is_hopeless = self.columns.is_none() && self.rows_seen >= MOST_ROWS_ABOVE;
        !(is_hopeless || self.is_spoiled || census.is_full())
    }

    /// Whether its headings were found.
    pub fn is_found(&self) -> bool {
        self.columns.is_some()
    }

    /// Why it has no people.
    pub fn why_not(&self) -> String {
        match &self.half {
            Some((half, place)) => {
                let other = match half {
                    Column::Username | Column::Display => Column::Employee,
                    Column::Employee => Column::Username,
                };
                format!(
                    "the column of the {} is there ({place}), but none of the {}",
                    half.name(),
                    other.name()
                )
            }
            None => "no column of it has a heading such as username or employee id".to_owned(),
        }
    }

    fn look_for_headings(&mut self, row: &Row, at: Where<'_>, census: &mut Census) {
        let mut found: BTreeMap<Column, usize> = BTreeMap::new();
        let mut twice = None;
        for (index, value) in &row.cells {
            let Value::Text(text) = value else { continue };
            let Some(kind) = column(text) else { continue };
            if let Some(first) = found.get(&kind) {
                twice = twice.or(Some((kind, *first, *index)));
            } else {
                found.insert(kind, *index);
            }
        }
        let of = |kind| found.get(&kind).copied();
        match (of(Column::Username), of(Column::Employee)) {
            (Some(username), Some(employee)) => {
                if let Some((kind, first, second)) = twice {
                    let place = at(row.number, second);
                    let first = letters(first);
                    let sentence = format!(
                        "this column and column {first} both look like the {}: rename one of the headings",
                        kind.name()
                    );
                    census.mistakes.add(place, Wrong::Refused(sentence));
                    self.is_spoiled = true;
                }
                let display = of(Column::Display);
                self.columns = Some(Columns {
                    username,
                    employee,
                    display,
                });
            }
            (Some(index), None) => self.see_half(Column::Username, at(row.number, index)),
            (None, Some(index)) => self.see_half(Column::Employee, at(row.number, index)),
            (None, None) => {}
        }
    }

    fn see_half(&mut self, kind: Column, place: Place) {
        if self.half.is_none() {
            self.half = Some((kind, place));
        }
    }
}

impl Census {
    /// Whether nothing that follows can matter any more.
    pub fn is_full(&self) -> bool {
        self.mistakes.is_full() || self.people.len() > MOST_PEOPLE
    }

    fn take(&mut self, row: &Row, columns: Columns, at: Where<'_>) {
        let cell = |column: usize| row.get(column);
        let username = cell(columns.username);
        let employee = cell(columns.employee);
        let display = columns.display.and_then(cell);
        if username.is_none() && employee.is_none() && display.is_none() {
            return;
        }
        if is_heading(username, Column::Username) && is_heading(employee, Column::Employee) {
            return;
        }
        let place = |column: usize| at(row.number, column);
        let username = self.read(
            username,
            Column::Username,
            || place(columns.username),
            login,
        );
        let employee = self.read(
            employee,
            Column::Employee,
            || place(columns.employee),
            number,
        );
        let display = match (display, columns.display) {
            (Some(value), Some(column)) => {
                self.read(Some(value), Column::Display, || place(column), line)
            }
            _ => None,
        };
        let (Some(username), Some(employee)) = (username, employee) else {
            return;
        };
        self.admit(
            Listed {
                username,
                employee,
                display,
            },
            &place,
            columns,
        );
    }

    fn read(
        &mut self,
        value: Option<&Value>,
        kind: Column,
        place: impl Fn() -> Place,
        check: fn(&str) -> Result<String, &'static str>,
    ) -> Option<String> {
        let sentence = match value {
            None => format!(
                "the {} is missing: of merged cells only the first one has the value",
                kind.name()
            ),
            Some(Value::Unfit(why)) => format!("the {} {why}", kind.name()),
            Some(Value::Text(text)) => match check(text) {
                Ok(text) => return Some(text),
                Err(why) => format!("`{}` is no {}: {why}", shown(text), kind.name()),
            },
        };
        self.mistakes.add(place(), Wrong::Refused(sentence));
        None
    }

    fn admit(&mut self, listed: Listed, place: &dyn Fn(usize) -> Place, columns: Columns) {
        let significant = listed.employee.trim_start_matches('0').to_ascii_lowercase();
        let before = self.mistakes.len();
        if let Some(first) = self.usernames.get(&listed.username) {
            let what = format!("username `{}` (first in {first})", listed.username);
            self.mistakes
                .add(place(columns.username), Wrong::Twice { what });
        }
        if let Some((written, first)) = self.employees.get(&significant) {
            let like = if *written == listed.employee {
                String::new()
            } else {
                format!(", written `{written}`")
            };
            let what = format!("employee id `{}` (first in {first}{like})", listed.employee);
            self.mistakes
                .add(place(columns.employee), Wrong::Twice { what });
        }
        if self.mistakes.len() > before {
            return;
        }
        self.usernames
            .insert(listed.username.clone(), place(columns.username));
        self.employees.insert(
            significant,
            (listed.employee.clone(), place(columns.employee)),
        );
        self.people.push(listed);
    }
}

/// A heading that stands again further down, as on each page of a print.
fn is_heading(value: Option<&Value>, kind: Column) -> bool {
    matches!(value, Some(Value::Text(text)) if column(text) == Some(kind))
}

/// A username in lower case: where people log in, capitals do not count.
fn login(text: &str) -> Result<String, &'static str> {
    let login = text.to_ascii_lowercase();
    let is_end = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_taken = |byte: u8| is_end(byte) || matches!(byte, b'-' | b'.' | b'_');
    let bytes = login.as_bytes();
    if bytes.len() > LONGEST_CHARS {
        Err("it has more than 63 characters")
    } else if login.contains('@') {
        Err("it is an address: the part before the @ is wanted")
    } else if !bytes.iter().copied().all(is_taken) {
        Err("only letters a-z, digits, `-`, `.` and `_` are taken")
    } else if ![bytes.first(), bytes.last()]
        .into_iter()
        .all(|end| end.is_some_and(|byte| is_end(*byte)))
    {
        Err("it begins and ends with a letter or a digit")
    } else {
        Ok(login)
    }
}

/// An employee id as it stands; not one that a spreadsheet program has made a rounded number of.
fn number(text: &str) -> Result<String, &'static str> {
    if text.len() > LONGEST_CHARS {
        return Err("it has more than 63 characters");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("only visible characters of ASCII are taken, and no blanks between them");
    }
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let rounded = text.to_ascii_lowercase();
    if let Some((mantissa, exponent)) = rounded.split_once("e+")
        && is_digits(exponent)
        && mantissa.split('.').all(is_digits)
    {
        return Err("the spreadsheet has rounded it: keep the column as text");
    }
    Ok(text.to_owned())
}

/// A name in one line.
fn line(text: &str) -> Result<String, &'static str> {
    if text.chars().any(char::is_control) {
        return Err("it has more than one line: is a quotation mark missing?");
    }
    if text.len() > LONGEST_DISPLAY_BYTES {
        return Err("it has more than 200 bytes");
    }
    Ok(text.to_owned())
}
