//! A workbook of `.xlsx`, read cell by cell: no sheet is ever laid out.

use std::io::Cursor;

use calamine::{DataRef, Reader, Sheet as Named, SheetType, SheetVisible, Xlsx, XlsxError};

use crate::mistake::{Mistakes, Place, Wrong, shown};

use super::cell::{MOST_COLUMNS, Row, Value, letters};
use super::people::{Census, Sheet};
use super::{MOST_PEOPLE, Roster, only, refused};

/// Reads all sheets that people see.
pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Roster, Mistakes> {
    let damaged = |error: &XlsxError| only(name, spoiled(error));
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let mut roster = Roster::default();
    let mut census = Census::default();
    for named in book.sheets_metadata().to_vec() {
        if let Some(why) = unread(&named) {
            roster.left.push(format!("{}: {why}", shown(&named.name)));
            continue;
        }
        let sheet = read(name, &mut book, &named.name, &mut census);
        let sheet = sheet.map_err(|error| damaged(&error))?;
        if sheet.is_found() {
            roster.read.push(shown(&named.name));
        } else {
            let why = sheet.why_not();
            roster.left.push(format!("{}: {why}", shown(&named.name)));
        }
        if census.is_full() {
            break;
        }
    }
    finish(name, roster, census)
}

/// All people, or all mistakes.
pub(super) fn finish(name: &str, roster: Roster, census: Census) -> Result<Roster, Mistakes> {
    let mut mistakes = census.mistakes;
    let file = || Place::File(name.to_owned());
    if census.people.len() > MOST_PEOPLE {
        let what = "the number of people of a roster".to_owned();
        let limit = MOST_PEOPLE.to_string();
        mistakes.add(file(), Wrong::TooLarge { what, limit });
    } else if census.people.is_empty() && mistakes.is_empty() {
        let why = if roster.left.is_empty() {
            "there is nobody below the headings".to_owned()
        } else {
            let left = roster.left.join("; ");
            format!(
                "no people were found, since a username and an employee id are needed of each: {left}"
            )
        };
        mistakes.add(file(), Wrong::Refused(why));
    }
    mistakes.or(Roster {
        people: census.people,
        ..roster
    })
}

/// Why a sheet is not looked at.
fn unread(named: &Named) -> Option<&'static str> {
    match (named.typ, named.visible) {
        (SheetType::WorkSheet, SheetVisible::Visible) => None,
        (SheetType::WorkSheet, SheetVisible::Hidden | SheetVisible::VeryHidden) => {
            Some("it is hidden: whom nobody sees nobody adds")
        }
        (
            SheetType::DialogSheet | SheetType::MacroSheet | SheetType::ChartSheet | SheetType::Vba,
            _,
        ) => Some("it has no cells"),
    }
}

fn read(
    file: &str,
    book: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
    census: &mut Census,
) -> Result<Sheet, XlsxError> {
    let at = |row: usize, column: usize| Place::Cell {
        file: file.to_owned(),
        sheet: shown(name),
        cell: format!("{}{row}", letters(column)),
    };
    let mut cells = book.worksheet_cells_reader(name)?;
    let mut sheet = Sheet::default();
    let mut row = Row::default();
    while let Some(cell) = cells.next_cell_with_formula_metadata()? {
        let (index, column) = cell.pos;
        let number = index as usize + 1;
        if number != row.number {
            if !sheet.take(&row, &at, census) {
                return Ok(sheet);
            }
            row = Row {
                number,
                cells: Vec::new(),
            };
        }
        let value = match value(&cell.value) {
            // A reader of numbers makes a nought of a formula that was never worked out.
            None if cell.formula.is_some() => Some(UNKNOWN),
            Some(Value::Text(text)) if cell.formula.is_some() && text == "0" => Some(UNKNOWN),
            value => value,
        };
        if row.cells.len() < MOST_COLUMNS {
            row.cells
                .extend(value.map(|value| (column as usize, value)));
        }
    }
    sheet.take(&row, &at, census);
    Ok(sheet)
}

/// A formula that nobody can know the value of.
const UNKNOWN: Value = Value::Unfit(
    "is a formula without a stored value: open the file in a spreadsheet program and save it, or paste the values",
);

fn value(value: &DataRef<'_>) -> Option<Value> {
    match value {
        DataRef::String(text) => Value::text(text),
        DataRef::SharedString(text) => Value::text(text),
        DataRef::Float(number) => Some(Value::number(*number)),
        DataRef::Int(number) => Value::text(&number.to_string()),
        DataRef::Bool(_) => Some(Value::Unfit("is true or false, and no word")),
        DataRef::DateTime(_) | DataRef::DateTimeIso(_) | DataRef::DurationIso(_) => {
            Some(Value::Unfit("is a date or a time: keep it as text"))
        }
        DataRef::Error(_) => Some(Value::Unfit("is the error of a formula")),
        DataRef::Empty => None,
    }
}

fn spoiled(error: &XlsxError) -> Wrong {
    if matches!(error, XlsxError::Password) {
        return refused("the workbook is protected with a password: save a copy without one");
    }
    Wrong::Refused(format!(
        "the workbook cannot be read: {}",
        shown(&error.to_string())
    ))
}
