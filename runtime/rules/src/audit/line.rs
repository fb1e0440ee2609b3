//! A record's line: JSON in the one form that its digest is made of.
//!
//! # Invariant
//! No space between tokens, members in the order of writing, and of a text only the quote, the
//! backslash and what is below U+0020 are escaped, the way most writers of JSON do it: a reader that
//! keeps the order of members gets the same bytes when it writes without spaces.

use std::fmt::Write as _;

/// Most records fit without the text being moved.
const USUAL_BYTES: usize = 768;

/// A JSON object that is being written.
pub(super) struct Line(String);

impl Line {
    /// An empty object.
    pub fn begin() -> Self {
        let mut text = String::with_capacity(USUAL_BYTES);
        text.push('{');
        Self(text)
    }

    /// The whole line.
    pub fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.quoted(name);
        self.0.push(':');
    }

    /// A number.
    pub fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        let written = write!(self.0, "{number}");
        debug_assert!(written.is_ok(), "a String takes everything");
    }

    /// Something that is so.
    pub fn flag(&mut self, name: &str) {
        self.name(name);
        self.0.push_str("true");
    }

    /// A text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.quoted(text);
    }

    /// Texts in their order.
    pub fn texts<'a>(&mut self, name: &str, texts: impl Iterator<Item = &'a String>) {
        self.name(name);
        self.0.push('[');
        for (number, text) in texts.enumerate() {
            if number > 0 {
                self.0.push(',');
            }
            self.quoted(text);
        }
        self.0.push(']');
    }

    /// A digest in hexadecimal digits.
    pub fn digest(&mut self, name: &str, digest: &[u8; 32]) {
        const DIGITS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
        ];
        self.name(name);
        self.0.push('"');
        for byte in digest {
            self.0.push(DIGITS[usize::from(byte >> 4)]);
            self.0.push(DIGITS[usize::from(byte & 15)]);
        }
        self.0.push('"');
    }

    /// An object in this one.
    pub fn object(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.name(name);
        self.0.push('{');
        write(self);
        self.0.push('}');
    }

    fn quoted(&mut self, text: &str) {
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\t' => self.0.push_str("\\t"),
                '\u{8}' => self.0.push_str("\\b"),
                '\u{c}' => self.0.push_str("\\f"),
                '\0'..' ' => {
                    let written = write!(self.0, "\\u{:04x}", u32::from(c));
                    debug_assert!(written.is_ok(), "a String takes everything");
                }
                _ => self.0.push(c),
            }
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn a_line_is_what_every_writer_of_json_without_spaces_writes() {
        let all: String = (0..0x250).filter_map(char::from_u32).collect();
        let mut line = Line::begin();
        line.text("all \"of\" them", &all);
        line.number("n", u64::MAX);
        line.object("empty", |_| ());
        line.texts("some", [String::from("a"), String::from("b")].iter());
        line.digest("digest", &[0xa7; 32]);
        let line = line.end();
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["all \"of\" them"], all);
        assert_eq!(read["digest"], "a7".repeat(32));
        let text = serde_json::to_string(&all).unwrap();
        assert!(line.starts_with(&format!("{{\"all \\\"of\\\" them\":{text},")));
        assert!(line.ends_with(&format!(
            ",\"n\":18446744073709551615,\"empty\":{{}},\"some\":[\"a\",\"b\"],\"digest\":\"{}\"}}",
            "a7".repeat(32)
        )));
    }
}
