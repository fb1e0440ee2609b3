//! A CSV file: commas, semicolons or tabs between its cells, in the encodings that spreadsheet programs write.
//!
//! # Why
//! Text without a mark is UTF-8 or, out of a Chinese spreadsheet program, GB 18030. Almost any bytes
//! are *some* text in the latter, so it is believed only where it yields a heading in Chinese.

use std::borrow::Cow;

use csv::{ByteRecord, ReaderBuilder};
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use crate::intake;
use crate::mistake::{Mistakes, Place, Wrong};

use super::cell::{MOST_COLUMNS, Row, Value};
use super::heading::{Column, column};
use super::people::{Census, Sheet};
use super::workbook::finish;
use super::{MOST_ROWS_ABOVE, Roster, only, refused};

/// What stands between cells, the most usual first.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Roster, Mistakes> {
    let text = decode(bytes).map_err(|wrong| only(name, wrong))?;
    let delimiter = DELIMITERS
        .into_iter()
        .find(|delimiter| has_headings(&text, *delimiter));
    let mut census = Census::default();
    let mut roster = Roster::default();
    let sheet = rows(name, &text, delimiter.unwrap_or(DELIMITERS[0]), &mut census)?;
    if !sheet.is_found() {
        roster.left.push(sheet.why_not());
    }
    finish(name, roster, census)
}

fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Wrong> {
    let strict = |encoding: &'static Encoding, bytes| {
        encoding.decode_without_bom_handling_and_without_replacement(bytes)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => strict(UTF_16LE, rest),
        [0xfe, 0xff, rest @ ..] => strict(UTF_16BE, rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => strict(UTF_8, rest),
        _ => strict(UTF_8, bytes).or_else(|| {
            let text = strict(GB18030, bytes)?;
            has_chinese_heading(&text).then_some(text)
        }),
    }
    .ok_or_else(|| {
        let plain = intake::text(bytes).err();
        plain.unwrap_or_else(|| refused("the text is damaged: save it again as CSV in UTF-8"))
    })
}

/// Whether one of the first lines has a heading that nobody writes by chance.
fn has_chinese_heading(text: &str) -> bool {
    let is_chinese = |cell: &str| {
        let cell = cell.trim_matches('"');
        !cell.is_ascii() && matches!(column(cell), Some(Column::Username | Column::Employee))
    };
    let cells = |line: &str| line.split([',', ';', '\t']).any(is_chinese);
    text.lines().take(MOST_ROWS_ABOVE).any(cells)
}

fn has_headings(text: &str, delimiter: u8) -> bool {
    let mut reader = reader(text, delimiter);
    let mut record = ByteRecord::new();
    for _ in 0..MOST_ROWS_ABOVE {
        if !matches!(reader.read_byte_record(&mut record), Ok(true)) {
            return false;
        }
        let has = |kind| {
            let mut cells = record
                .iter()
                .filter_map(|cell| std::str::from_utf8(cell).ok());
            cells.any(|cell| column(cell) == Some(kind))
        };
        if has(Column::Username) && has(Column::Employee) {
            return true;
        }
    }
    false
}

fn rows(name: &str, text: &str, delimiter: u8, census: &mut Census) -> Result<Sheet, Mistakes> {
    let at = |line: usize, column: usize| Place::Spot {
        file: name.to_owned(),
        document: None,
        line,
        column: column + 1,
    };
    let mut reader = reader(text, delimiter);
    let mut record = ByteRecord::new();
    let mut sheet = Sheet::default();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(sheet),
            Err(error) => return Err(only(name, Wrong::Refused(error.to_string()))),
        }
        let line = record.position().map_or(0, csv::Position::line);
        let mut row = Row {
            number: usize::try_from(line).unwrap_or(usize::MAX),
            cells: Vec::new(),
        };
        for (index, cell) in record.iter().take(MOST_COLUMNS).enumerate() {
            let value = std::str::from_utf8(cell).ok().and_then(Value::text);
            row.cells.extend(value.map(|value| (index, value)));
        }
        if !sheet.take(&row, &at, census) {
            return Ok(sheet);
        }
    }
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes())
}
