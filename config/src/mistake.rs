//! What is wrong with something that a person wrote, and where it stands.
//!
//! ```text
//! team.yaml:7:5 (document 2): unknown key `skils` in worker `disk`; did you mean `skills`?
//! └─ Place ─────────────────┘ └─ Wrong ─────────────────────────────────────────────────┘
//! ```
//!
//! # Why
//! All mistakes of a run are told at once, up to a bound: a person who mends one at a time pays a
//! run for each. Settings and documents share this type so that they read alike.
//!
//! # Invariant
//! What came from outside is shown escaped and cut: a file cannot write to the terminal.

use std::fmt;

use thiserror::Error;

/// No more mistakes than this are kept of one run: what follows is most often their echo.
pub const MOST_MISTAKES: usize = 50;

/// No more characters than this of a foreign text stand in a message.
const LONGEST_SHOWN_CHARS: usize = 60;

/// Where a person wrote something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file as a whole.
    File(String),
    /// A place in a file; line and column count from 1, the column in characters.
    Spot {
        /// The file as it was named.
        file: String,
        /// The number of the YAML document in it, from 1; `None` where a file is one document.
        document: Option<usize>,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
    },
    /// A cell of a spreadsheet.
    Cell {
        /// The file as it was named.
        file: String,
        /// The sheet's name.
        sheet: String,
        /// The cell as spreadsheet programs call it, such as `B7`.
        cell: String,
    },
    /// An environment variable.
    Environment(String),
    /// An override on the command line, by its key.
    Flag(String),
    /// The default that is compiled in.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => f.write_str(file),
            Self::Spot {
                file,
                document,
                line,
                column,
            } => {
                write!(f, "{file}:{line}:{column}")?;
                document.map_or(Ok(()), |number| write!(f, " (document {number})"))
            }
            Self::Cell { file, sheet, cell } => write!(f, "{file}, sheet {sheet}, cell {cell}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(key) => write!(f, "flag {key}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// What is wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Wrong {
    /// A key that nobody reads.
    #[error("unknown key `{key}`{within}{hint}")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// ` in …`, or nothing.
        within: String,
        /// `; did you mean …?`, or nothing.
        hint: String,
    },
    /// A key that must be there is not.
    #[error("`{key}` is missing{within}")]
    Missing {
        /// The key.
        key: String,
        /// ` in …`, or nothing.
        within: String,
    },
    /// The same key or name stands twice.
    #[error("{what} stands twice")]
    Twice {
        /// What stands twice.
        what: String,
    },
    /// A value of another type than the key takes.
    #[error("`{key}` must be {wanted}, not {found}")]
    WrongType {
        /// The key.
        key: String,
        /// What it takes.
        wanted: String,
        /// What stands there.
        found: String,
    },
    /// A value of the right type that is not taken.
    #[error("`{key}` is {value}; {allowed}")]
    OutOfRange {
        /// The key.
        key: String,
        /// The value as written.
        value: String,
        /// What is allowed, as a sentence.
        allowed: String,
    },
    /// A name that names nothing.
    #[error("{what} `{name}` is not known{hint}")]
    UnknownName {
        /// What the name should name.
        what: String,
        /// The name.
        name: String,
        /// `; did you mean …?`, or nothing.
        hint: String,
    },
    /// Something that a later release may know.
    #[error("this release does not know {0} yet")]
    NotYet(String),
    /// A text that its parser does not take, or that breaks a rule of its own: a whole sentence.
    #[error("{0}")]
    Refused(String),
    /// A file that cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// More than is taken.
    #[error("{what} is larger than {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit with its unit.
        limit: String,
    },
    /// Bytes that are no text.
    #[error("is not UTF-8: the byte at offset {offset} belongs to no character{hint}")]
    NotUtf8 {
        /// From 0.
        offset: usize,
        /// What it looks like, or nothing.
        hint: &'static str,
    },
}

/// One mistake: where, and what.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {wrong}")]
pub struct Mistake {
    /// Where it stands.
    pub place: Place,
    /// What is wrong.
    pub wrong: Wrong,
}

/// All mistakes of one run, the first [`MOST_MISTAKES`] of them kept; shown one a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mistakes {
    kept: Vec<Mistake>,
    left_off: usize,
}

impl Mistakes {
    /// The kept mistakes, in the order in which they were met.
    pub fn kept(&self) -> &[Mistake] {
        &self.kept
    }

    /// How many more there were.
    pub fn left_off(&self) -> usize {
        self.left_off
    }

    /// Whether nothing was wrong.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many there were, kept or not.
    pub(crate) fn len(&self) -> usize {
        self.kept.len() + self.left_off
    }

    /// Whether it makes no sense to look on.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= MOST_MISTAKES
    }

    pub(crate) fn add(&mut self, place: Place, wrong: Wrong) {
        if self.is_full() {
            self.left_off += 1;
        } else {
            self.kept.push(Mistake { place, wrong });
        }
    }

    /// `Ok(value)` if nothing was wrong, else the mistakes.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.kept.iter().enumerate() {
            let break_before = if index == 0 { "" } else { "\n" };
            write!(f, "{break_before}{mistake}")?;
        }
        if self.left_off > 0 {
            write!(f, "\nand {} more", self.left_off)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// A foreign text as it may stand in a message: escaped, and cut where it is long.
pub fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST_SHOWN_CHARS {
            shown.push('…');
            break;
        }
        if c.is_control() || is_invisible(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Marks that change the order or the look of the text around them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{MOST_MISTAKES, Mistakes, Place, Wrong, shown};

    #[test]
    fn a_file_cannot_write_to_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\u{202e}"), "a\\u{1b}[2Jb\\u{202e}");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), 61);
    }

    #[test]
    fn mistakes_are_bounded_and_counted() {
        let mut mistakes = Mistakes::default();
        for _ in 0..MOST_MISTAKES + 3 {
            mistakes.add(Place::Default, Wrong::Refused("no".to_owned()));
        }
        assert_eq!(mistakes.kept().len(), MOST_MISTAKES);
        assert!(mistakes.to_string().ends_with("\nand 3 more"));
    }
}
