//! A cell as a roster understands it, and a row of them.

/// No spreadsheet program has more columns; cells beyond them are not looked at.
pub(super) const MOST_COLUMNS: usize = 16_384;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A text, trimmed; or a number that is a whole one, as people read it.
    Text(String),
    /// Something that is no word: a sentence that says what.
    Unfit(&'static str),
}

/// A row: the cells that have something, by column from 0.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Its number as people count, from 1.
    pub number: usize,
    /// Its cells.
    pub cells: Vec<(usize, Value)>,
}

impl Row {
    /// What stands in a column.
    pub fn get(&self, column: usize) -> Option<&Value> {
        let found = self.cells.iter().find(|(at, _)| *at == column);
        found.map(|(_, value)| value)
    }
}

impl Value {
    /// A text without the blanks around it; nothing where nothing is left.
    pub fn text(text: &str) -> Option<Self> {
        let is_blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}');
        let trimmed = text.trim_matches(is_blank);
        (!trimmed.is_empty()).then(|| Self::Text(trimmed.to_owned()))
    }

    /// A number: spreadsheets keep whole ones exactly up to fifteen digits.
    pub fn number(number: f64) -> Self {
        /// Beyond fifteen digits a spreadsheet program drops the last ones.
        const EXACT: f64 = 1e15;
        if number.fract() != 0.0 || number < 0.0 {
            Self::Unfit("is a number, but no whole one")
        } else if number >= EXACT {
            Self::Unfit("is a number so long that the spreadsheet has rounded it: keep it as text")
        } else {
            Self::Text(format!("{number:.0}"))
        }
    }
}

/// A column as spreadsheet programs call it: `A` is 0.
pub(super) fn letters(column: usize) -> String {
    let mut letters = Vec::new();
    let mut left = column + 1;
    while left > 0 {
        left -= 1;
        letters.push(char::from(
            b'A' + u8::try_from(left % 26).unwrap_or_default(),
        ));
        left /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::{Value, letters};

    #[test]
    fn columns_have_the_letters_of_spreadsheet_programs() {
        for (column, wanted) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (701, "ZZ"),
            (16_383, "XFD"),
        ] {
            assert_eq!(letters(column), wanted);
        }
    }

    #[test]
    fn whole_numbers_read_as_people_write_them() {
        assert_eq!(Value::number(10001.0), Value::Text("10001".to_owned()));
        assert!(matches!(Value::number(1.5), Value::Unfit(_)));
        assert!(matches!(Value::number(1e15), Value::Unfit(_)));
        assert!(matches!(Value::number(f64::NAN), Value::Unfit(_)));
    }
}
