//! What a verb says: data to standard output as a table or JSON, all else to standard error.
//!
//! # Invariant
//! Nothing else of the command line writes to either. Every foreign text passes through
//! [`screen`] on its way.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, TableStyle};
use serde::Serialize;

use super::moment::ago;
use super::screen;
use crate::admin::wire::Moment;

/// Columns that a terminal is taken to have that does not say.
const USUAL_COLUMNS: u16 = 80;

/// How answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Tables and texts for people.
    #[default]
    Table,
    /// JSON for programs.
    Json,
}

/// Where answers and remarks go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    output: Output,
    /// Standard output is a terminal.
    is_read_live: bool,
    /// Standard error is one.
    is_watched: bool,
    has_colours: bool,
}

/// What a table is written on: its width, and now, where times are told from now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paper {
    /// Columns; without, lines are as long as they are.
    pub(crate) columns: Option<u16>,
    /// The wall clock, where times are shown as so long ago.
    pub(crate) now_ms: Option<u64>,
}

impl Printer {
    /// The process' own standard output and standard error.
    pub(crate) fn new(output: Output) -> Self {
        let is_watched = io::stderr().is_terminal();
        let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            output,
            is_read_live: io::stdout().is_terminal(),
            is_watched,
            has_colours: is_watched && !is_plain,
        }
    }

    /// Whether programs read the answer.
    pub(crate) fn is_json(self) -> bool {
        self.output == Output::Json
    }

    /// Whether remarks go to a terminal.
    pub(crate) fn is_watched(self) -> bool {
        self.is_watched
    }

    /// Whether data goes to a terminal.
    pub(crate) fn is_read_live(self) -> bool {
        self.is_read_live
    }

    /// Whether remarks may have colours.
    pub(crate) fn has_colours(self) -> bool {
        self.has_colours
    }

    /// The answer: JSON for programs, `people`'s text for people.
    pub(crate) fn show<T: Serialize>(
        self,
        answer: &T,
        people: impl FnOnce(&T, &Paper) -> String,
    ) -> io::Result<()> {
        if self.is_json() {
            return self.json(answer);
        }
        text(&people(answer, &self.paper()))
    }

    /// A value as JSON: over many lines for a terminal, else on one.
    pub(crate) fn json(self, value: &impl Serialize) -> io::Result<()> {
        let json = if self.is_read_live {
            serde_json::to_string_pretty(value)
        } else {
            serde_json::to_string(value)
        };
        let mut json = screen::json(&json.map_err(io::Error::other)?);
        json.push('\n');
        out(json.as_bytes())
    }

    /// What standard output is like for a table.
    pub(crate) fn paper(self) -> Paper {
        if !self.is_read_live {
            return Paper::default();
        }
        let columns = terminal_size::terminal_size_of(io::stdout());
        Paper {
            columns: Some(columns.map_or(USUAL_COLUMNS, |(columns, _)| columns.0)),
            now_ms: Some(runtime::clock::wall().0),
        }
    }
}

/// Columns of the terminal that remarks go to.
pub(crate) fn columns() -> u16 {
    terminal_size::terminal_size_of(io::stderr()).map_or(USUAL_COLUMNS, |(columns, _)| columns.0)
}

/// A value as one line of JSON, one of many.
pub(crate) fn json_line(value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(value).map_err(io::Error::other)?;
    let mut json = screen::json(&json);
    json.push('\n');
    out(json.as_bytes())
}

/// A text of whole lines.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut text = screen::block(text);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    out(text.as_bytes())
}

/// Bytes as they are: never for a terminal.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    out(bytes)
}

/// A remark for people: one line or more.
pub(crate) fn note(text: &str) {
    let mut text = screen::block(text);
    text.push('\n');
    remark(&text);
}

/// Writes to standard error as it is; `text` must be safe.
pub(crate) fn remark(text: &str) {
    // Where nobody reads remarks, the answer still counts.
    let _ = io::stderr().write_all(text.as_bytes());
}

impl Paper {
    /// A moment: so long ago where someone reads it now, else RFC 3339.
    pub(crate) fn when(&self, moment: &Moment) -> String {
        match self.now_ms {
            Some(now_ms) => ago(now_ms, moment.ms),
            None => moment.at.clone(),
        }
    }

    /// A table: a head and rows, two spaces between the columns.
    pub(crate) fn table<const N: usize>(&self, head: [&str; N], rows: Vec<[String; N]>) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(TableStyle::new());
        if let Some(columns) = self.columns {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(columns);
        }
        table.set_header(head);
        for row in rows {
            table.add_row(row.map(|cell| match screen::line(&cell) {
                cell if cell.is_empty() => "-".to_owned(),
                cell => cell,
            }));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let mut text = table.trim_fmt();
        text.push('\n');
        text
    }
}

/// Names and values, one pair a line; pairs without a value are left out.
pub(crate) fn pairs<const N: usize>(pairs: [(&str, String); N]) -> String {
    let longest = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in pairs {
        let value = screen::line(&value);
        if !value.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name:longest$}  {value}");
        }
    }
    text
}

/// The word of a value that is a single word in JSON.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => "?".to_owned(),
    }
}

fn out(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::{Paper, word};
    use crate::admin::wire::{CaseStatus, Moment};

    #[test]
    fn a_table_has_no_frame_and_no_control_characters() {
        let rows = vec![
            ["c-1".to_owned(), "a\u{1b}[2J\nb".to_owned()],
            ["c-10".to_owned(), String::new()],
        ];
        let table = Paper::default().table(["ID", "TITLE"], rows);
        assert_eq!(table, "ID    TITLE\nc-1   a b\nc-10  -\n");
    }

    #[test]
    fn a_narrow_terminal_gets_narrow_tables() {
        let rows = vec![["c-1".to_owned(), "word ".repeat(20)]];
        let paper = Paper {
            columns: Some(30),
            now_ms: None,
        };
        let table = paper.table(["ID", "TITLE"], rows);
        assert!(
            table.lines().all(|line| line.chars().count() <= 30),
            "{table}"
        );
        assert_eq!(table.matches("word").count(), 20);
    }

    #[test]
    fn times_are_relative_only_where_someone_reads_them_now() {
        let moment = Moment::from_ms(1_000_000);
        assert_eq!(Paper::default().when(&moment), "1970-01-01T00:16:40.000Z");
        let paper = Paper {
            columns: None,
            now_ms: Some(1_005_000),
        };
        assert_eq!(paper.when(&moment), "5s ago");
    }

    #[test]
    fn empty_pairs_are_left_out() {
        let pairs = [("team", "sre".to_owned()), ("playbook", String::new())];
        assert_eq!(super::pairs(pairs), "team      sre\n");
    }

    #[test]
    fn a_word_is_the_one_of_the_wire() {
        assert_eq!(word(&CaseStatus::Waiting), "waiting");
    }
}
