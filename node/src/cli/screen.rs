//! Texts from agents and people, made safe for a terminal.
//!
//! # Invariant
//! What comes out holds no control character but line end and tab, and no mark that turns the order
//! of the text around it: nothing that an agent writes can move the cursor, set the title of the
//! window, or make one line look like another.
//!
//! # Why
//! Control characters go, the rest stays to be seen. Only the sequences that set colours and move
//! the cursor are taken out whole, because programs write them all the time and their remains would
//! be noise; whatever hides behind another escape becomes visible.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// The longest escape sequence that is taken out whole; honest ones have a dozen characters.
const LONGEST_SEQUENCE_CHARS: usize = 32;

/// A text that stays on one line.
pub(crate) fn line(text: &str) -> String {
    safe(text, ' ', ' ').trim_end().to_owned()
}

/// A text of many lines.
pub(crate) fn block(text: &str) -> String {
    safe(text, '\n', '\t')
}

/// JSON whose strings hold nothing that a terminal would obey: the same value, written otherwise.
pub(crate) fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let is_layout = c == '\n' || c == '\t';
        if (c.is_control() && !is_layout) || turns_text(c) {
            // All of these are below U+FFFF; writing to a string cannot fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

fn safe(text: &str, line_end: char, tab: char) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\u{2028}' | '\u{2029}' => safe.push(line_end),
            '\r' => {
                if rest.peek() != Some(&'\n') {
                    safe.push(line_end);
                }
            }
            '\t' => safe.push(tab),
            '\u{1b}' => skip_sequence(&mut rest, true),
            '\u{9b}' => skip_sequence(&mut rest, false),
            c if c.is_control() || turns_text(c) => {}
            c => safe.push(c),
        }
    }
    safe
}

/// Takes out what is left of a sequence that sets colours or moves the cursor; nothing if it is none.
fn skip_sequence(rest: &mut Peekable<Chars<'_>>, has_bracket: bool) {
    let mut ahead = rest.clone();
    if has_bracket && ahead.next() != Some('[') {
        return;
    }
    for _ in 0..LONGEST_SEQUENCE_CHARS {
        match ahead.next() {
            Some(' '..='?') => {}
            Some('@'..='~') => {
                *rest = ahead;
                return;
            }
            Some(_) | None => return,
        }
    }
}

/// Marks that change the order of the text around them, or are not to be seen at all.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{block, json, line};

    #[test]
    fn colours_go_and_the_words_stay() {
        assert_eq!(block("\u{1b}[1;31mred\u{1b}[0m\tx\r\ny"), "red\tx\ny");
        assert_eq!(line("\u{9b}2Jwiped\nagain"), "wiped again");
    }

    #[test]
    fn what_hides_behind_an_escape_becomes_visible() {
        assert_eq!(line("\u{1b}]0;title\u{7}x"), "]0;titlex");
        assert_eq!(line("\u{1b}[\u{1b}[2Jx"), "[x");
        assert_eq!(line("\u{1b}"), "");
        let endless = format!("\u{1b}[{}", "1".repeat(100));
        assert_eq!(line(&endless).len(), 101);
    }

    #[test]
    fn no_text_keeps_a_control_character() {
        let all: String = (0..=0x2100_u32).filter_map(char::from_u32).collect();
        for c in block(&all).chars() {
            assert!(c == '\n' || c == '\t' || !c.is_control(), "{c:?}");
        }
        assert!(!line(&all).contains(['\n', '\t', '\u{202e}']));
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({"a": "\u{1b}[2J\u{9b}x\u{7f}\u{202e}ü\n"});
        for written in [
            value.to_string(),
            serde_json::to_string_pretty(&value).unwrap(),
        ] {
            let safe = json(&written);
            assert!(!safe.contains(['\u{9b}', '\u{7f}', '\u{1b}', '\u{202e}']));
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&safe).unwrap(),
                value
            );
        }
    }
}
