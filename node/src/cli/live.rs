//! The live view of a case on standard error: its history as it grows, and below it, on a terminal,
//! one line that says where it stands.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use runtime::clock::{self, BootMs};
use unicode_width::UnicodeWidthChar as _;

use super::moment::rough;
use super::print::{self, Printer, word};
use super::screen;
use crate::admin::wire::{CaseStatus, HistoryLine, Waiting, WatchEvent};

/// How often the line moves, so that one sees that the command lives.
pub(crate) const TICK: Duration = Duration::from_millis(120);
/// What moves.
const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/// Back to the beginning of the line, and clear it.
const CLEAR: &str = "\r\u{1b}[2K";
const DIM: &str = "\u{1b}[2m";
const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const PLAIN: &str = "\u{1b}[0m";

/// What the history is to whoever looks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The answer itself: it goes to standard output.
    Answer,
    /// A remark on the way to the answer: it goes to standard error.
    Remark,
    /// Nothing: the events are shown in another way.
    Nothing,
}

/// What is shown of a case while it goes on.
pub(crate) struct Live {
    printer: Printer,
    shown: Shown,
    began: BootMs,
    frame: usize,
    standing: String,
    progress: String,
}

impl Live {
    /// Nothing is shown yet.
    pub(crate) fn new(printer: Printer, shown: Shown) -> Self {
        Self {
            printer,
            shown,
            began: clock::boot(),
            frame: 0,
            standing: "waiting for the node".to_owned(),
            progress: String::new(),
        }
    }

    /// Shows an event.
    pub(crate) fn event(&mut self, event: &WatchEvent) -> io::Result<()> {
        match event {
            WatchEvent::History(line) => self.history(line)?,
            WatchEvent::Status {
                status,
                waiting_for,
                stages_done,
                stages,
            } => {
                self.standing = standing(*status, *waiting_for, *stages_done, *stages);
                if *status != CaseStatus::Running {
                    self.progress.clear();
                }
            }
            WatchEvent::Progress { stage, text, .. } => {
                let said = format!("{stage}: {}", screen::line(text));
                if said != self.progress && !self.has_line() {
                    self.line(&said, "")?;
                }
                self.progress = said;
            }
            WatchEvent::Closed { .. }
            | WatchEvent::Ended { .. }
            | WatchEvent::Quiet
            | WatchEvent::Unnamed => {}
        }
        self.redraw();
        Ok(())
    }

    /// Shows a remark.
    pub(crate) fn note(&mut self, text: &str) {
        self.clear();
        print::note(text);
        self.redraw();
    }

    /// Moves the line on.
    pub(crate) fn tick(&mut self) {
        self.frame = (self.frame + 1) % FRAMES.len();
        self.redraw();
    }

    /// Takes the moving line away.
    pub(crate) fn clear(&self) {
        if self.has_line() {
            print::remark(CLEAR);
        }
    }

    /// Whether there is a line that moves.
    fn has_line(&self) -> bool {
        self.printer.is_watched() && self.shown != Shown::Nothing
    }

    fn history(&mut self, line: &HistoryLine) -> io::Result<()> {
        let colour = match line.kind.as_str() {
            "done" | "answered" | "approved" => GREEN,
            "failed" | "attempt_failed" | "rejected" | "cancelled" => RED,
            "approval_asked" | "parked" | "paused" | "plan_refused" => YELLOW,
            "closed" => BOLD,
            _ => "",
        };
        let is_read_now = self.is_read_now();
        let at = if is_read_now {
            line.at.at.get(11..19)
        } else {
            None
        };
        let at = at.unwrap_or(&line.at.at);
        self.line(&format!("{at}  {}", line.text), colour)
    }

    /// Whether the history goes to a terminal.
    fn is_read_now(&self) -> bool {
        match self.shown {
            Shown::Answer => self.printer.is_read_live(),
            Shown::Remark | Shown::Nothing => self.printer.is_watched(),
        }
    }

    /// A line that stays.
    fn line(&mut self, text: &str, colour: &str) -> io::Result<()> {
        self.clear();
        let mut text = screen::line(text);
        if self.shown == Shown::Remark && self.is_read_now() {
            // The report says it whole.
            text = fitting(&text, print::columns());
        }
        let is_coloured = self.printer.has_colours() && self.is_read_now() && !colour.is_empty();
        let written = if is_coloured {
            format!("{colour}{text}{PLAIN}\n")
        } else {
            format!("{text}\n")
        };
        match self.shown {
            Shown::Answer => print::bytes(written.as_bytes()),
            Shown::Remark => {
                print::remark(&written);
                Ok(())
            }
            Shown::Nothing => Ok(()),
        }
    }

    fn redraw(&self) {
        if !self.has_line() {
            return;
        }
        let took = clock::boot().since(self.began);
        let took = rough(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let mut text = format!("{} {} · {took}", FRAMES[self.frame], self.standing);
        if !self.progress.is_empty() {
            text.push_str(" · ");
            text.push_str(&self.progress);
        }
        let text = fitting(&screen::line(&text), print::columns().saturating_sub(1));
        let written = if self.printer.has_colours() {
            format!("{CLEAR}{DIM}{text}{PLAIN}")
        } else {
            format!("{CLEAR}{text}")
        };
        print::remark(&written);
    }
}

/// How far a case is, in words.
pub(crate) fn standing(
    status: CaseStatus,
    waiting_for: Option<Waiting>,
    stages_done: u64,
    stages: u64,
) -> String {
    let mut text = word(&status);
    if let Some(waiting) = waiting_for {
        text.push_str(" for ");
        text.push_str(match waiting {
            Waiting::Approval => "an approval",
            Waiting::Resume => "a resume",
            Waiting::Settlement => "a settlement",
            Waiting::Unnamed => "a human",
        });
    }
    if stages > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, " · {stages_done} of {stages} stages");
    }
    text
}

/// As much of a line as fits into so many columns.
fn fitting(text: &str, columns: u16) -> String {
    let mut left = usize::from(columns);
    let mut fitting = String::new();
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        fitting.push(c);
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::{fitting, standing};
    use crate::admin::wire::{CaseStatus, Waiting};

    #[test]
    fn a_line_never_wraps() {
        assert_eq!(fitting("abcdef", 4), "abcd");
        assert_eq!(fitting("日本語", 5), "日本");
        assert_eq!(fitting("abc", 80), "abc");
    }

    #[test]
    fn a_waiting_case_says_for_what() {
        let text = standing(CaseStatus::Waiting, Some(Waiting::Approval), 1, 3);
        assert_eq!(text, "waiting for an approval · 1 of 3 stages");
        assert_eq!(standing(CaseStatus::Open, None, 0, 0), "open");
    }
}
