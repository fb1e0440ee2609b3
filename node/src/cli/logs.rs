//! Logs of agents on their way to people: pieces of output made into whole lines, each with its origin.
//!
//! # Why
//! Several attempts write at once, and a piece may end in the middle of a line. Lines are put
//! together for each origin, so that two agents never share one.

use std::collections::BTreeMap;

use super::print::{self, Printer};
use super::screen;
use super::stop::Stop;
use crate::admin::client::Lines;
use crate::admin::wire::{LogLine, LogStream};

/// A line that is longer is shown in parts: an agent may never end one.
const LONGEST_LINE_BYTES: usize = 64 << 10;

/// Prints a log to its end.
pub(crate) async fn print(printer: Printer, mut log: Lines<LogLine>) -> Result<(), Stop> {
    let mut lines = Assembled::default();
    let mut is_empty = true;
    while let Some(piece) = log.next().await? {
        is_empty = false;
        if printer.is_json() {
            print::json_line(&piece)?;
        } else {
            let text = lines.add(&piece);
            if !text.is_empty() {
                print::text(&text)?;
            }
        }
    }
    let rest = lines.rest();
    if !rest.is_empty() {
        print::text(&rest)?;
    }
    if is_empty {
        print::note("nothing was written yet");
    }
    Ok(())
}

/// Lines that have begun, by where they come from.
#[derive(Debug, Default)]
struct Assembled {
    begun: BTreeMap<String, String>,
}

impl Assembled {
    /// Adds a piece; answers the lines that are whole now.
    fn add(&mut self, piece: &LogLine) -> String {
        let origin = origin(piece);
        let begun = self.begun.entry(origin.clone()).or_default();
        begun.push_str(&piece.text);
        let mut whole = String::new();
        while let Some(end) = begun.find('\n') {
            let rest = begun.split_off(end + 1);
            push(&mut whole, &origin, begun);
            *begun = rest;
        }
        if begun.len() > LONGEST_LINE_BYTES {
            push(&mut whole, &origin, begun);
            begun.clear();
        }
        whole
    }

    /// What never got its end.
    fn rest(self) -> String {
        let mut text = String::new();
        for (origin, begun) in self.begun {
            if !begun.is_empty() {
                push(&mut text, &origin, &begun);
            }
        }
        text
    }
}

fn push(lines: &mut String, origin: &str, line: &str) {
    // A line end within, from a carriage return, must not look like a line without an origin.
    for part in screen::block(line).trim_end_matches('\n').split('\n') {
        if !origin.is_empty() {
            lines.push_str(origin);
            lines.push(' ');
        }
        lines.push_str(part);
        lines.push('\n');
    }
}

fn origin(piece: &LogLine) -> String {
    let mut parts: Vec<&str> = Vec::new();
    parts.extend(piece.attempt.as_deref());
    parts.extend(piece.stage.as_deref());
    match piece.stream {
        LogStream::Stderr => parts.push("err"),
        LogStream::Note => parts.push("note"),
        LogStream::Stdout | LogStream::Worker | LogStream::Unnamed => {}
    }
    if parts.is_empty() {
        return String::new();
    }
    format!("[{}]", screen::line(&parts.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::Assembled;
    use crate::admin::wire::{LogLine, LogStream};

    fn piece(attempt: u32, stream: LogStream, text: &str) -> LogLine {
        LogLine {
            attempt: Some(format!("c-1.{attempt}")),
            stage: Some("look".to_owned()),
            stream,
            text: text.to_owned(),
        }
    }

    #[test]
    fn two_agents_never_share_a_line() {
        let mut lines = Assembled::default();
        assert_eq!(lines.add(&piece(1, LogStream::Stdout, "one ")), "");
        assert_eq!(
            lines.add(&piece(2, LogStream::Stderr, "two\n")),
            "[c-1.2 look err] two\n"
        );
        assert_eq!(
            lines.add(&piece(1, LogStream::Stdout, "more\nx")),
            "[c-1.1 look] one more\n"
        );
        assert_eq!(lines.rest(), "[c-1.1 look] x\n");
    }

    #[test]
    fn an_agent_cannot_write_a_line_without_its_origin() {
        let mut lines = Assembled::default();
        let text = lines.add(&piece(1, LogStream::Stdout, "\u{1b}[31ma\rforged\r\n"));
        assert_eq!(text, "[c-1.1 look] a\n[c-1.1 look] forged\n");
    }

    #[test]
    fn a_line_without_end_is_shown_in_parts() {
        let mut lines = Assembled::default();
        let text = lines.add(&piece(1, LogStream::Stdout, &"x".repeat(70_000)));
        assert!(text.len() > 70_000);
        assert_eq!(lines.rest(), "");
    }
}
