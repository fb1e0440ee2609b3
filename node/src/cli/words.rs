//! A text that a person gives: as an argument, from a file, or on standard input.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::stop::Stop;

/// What stands for standard input.
const STDIN: &str = "-";
/// The longest text that any node takes (the upper end of `limits.brief_bytes`).
pub(crate) const LONGEST_TEXT_BYTES: u64 = 16 << 20;

/// A text as it is given on the command line.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Words {
    /// The text; `-` reads standard input, and so does no text where that is no terminal
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    text: Option<String>,
    /// Reads the text from a file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Words {
    /// The text, which must not be empty; `max_bytes` is the node's own limit, called `limit`.
    pub(crate) fn read(&self, limit: &'static str, max_bytes: u64) -> Result<String, Stop> {
        let max_bytes = max_bytes.min(LONGEST_TEXT_BYTES);
        let text = match (&self.text, &self.file) {
            (Some(text), _) if text != STDIN => {
                bounded(text.as_bytes(), "the text", limit, max_bytes)?
            }
            (None, Some(path)) if path != Path::new(STDIN) => from_file(path, limit, max_bytes)?,
            (None, None) if io::stdin().is_terminal() => {
                return Err(Stop::rephrase(
                    "there is no text",
                    "give it as an argument, with --file FILE, or on standard input",
                ));
            }
            _ => bounded(io::stdin().lock(), "standard input", limit, max_bytes)?,
        };
        if text.trim().is_empty() {
            let hint = "give it as an argument, with --file FILE, or on standard input";
            return Err(Stop::rephrase("the text is empty", hint));
        }
        Ok(text)
    }

    /// Whether a text is given at all.
    pub(crate) fn is_given(&self) -> bool {
        self.text.is_some() || self.file.is_some()
    }
}

fn from_file(path: &Path, limit: &'static str, max_bytes: u64) -> Result<String, Stop> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| cannot_read(&shown, &error))?;
    bounded(file, &shown, limit, max_bytes)
}

/// Reads UTF-8 of at most `max_bytes`.
pub(crate) fn bounded(
    from: impl Read,
    what: &str,
    limit: &'static str,
    max_bytes: u64,
) -> Result<String, Stop> {
    let mut bytes = Vec::new();
    from.take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| cannot_read(what, &error))?;
    if bytes.len() as u64 > max_bytes {
        let what = format!("{what} is too long");
        return Err(Stop::Shrink {
            what,
            name: limit,
            max: max_bytes,
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let what = format!("{what} is no UTF-8 (first wrong byte at offset {at})");
        Stop::mend(
            what,
            "attach it as a file with --attach, or save it as UTF-8",
        )
    })
}

/// Refuses a text that is longer than the node takes.
pub(crate) fn must_fit(text: &str, limit: &'static str, max_bytes: u64) -> Result<(), Stop> {
    if text.len() as u64 > max_bytes {
        let what = format!("the text has {} bytes, too many", text.len());
        return Err(Stop::Shrink {
            what,
            name: limit,
            max: max_bytes,
        });
    }
    Ok(())
}

/// A file or stream that cannot be read.
pub(crate) fn cannot_read(what: &str, error: &io::Error) -> Stop {
    Stop::mend(format!("cannot read {what}: {error}"), "")
}

#[cfg(test)]
mod tests {
    use super::{Words, bounded};

    #[test]
    fn a_text_is_taken_as_it_is() {
        let words = Words {
            text: Some("pod x is Pending ü\n".to_owned()),
            file: None,
        };
        assert_eq!(
            words.read("brief_bytes", 100).unwrap(),
            "pod x is Pending ü\n"
        );
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_by_the_limits_name() {
        let stop = bounded(&b"12345"[..], "x", "brief_bytes", 4).unwrap_err();
        assert!(stop.to_string().contains("(brief_bytes is 4)"), "{stop}");
        assert_eq!(
            bounded(&b"1234"[..], "x", "brief_bytes", 4).unwrap(),
            "1234"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_placed() {
        let stop = bounded(&b"ab\xff"[..], "standard input", "brief_bytes", 9).unwrap_err();
        assert!(stop.to_string().contains("offset 2"), "{stop}");
    }

    #[test]
    fn blanks_are_no_text() {
        let words = Words {
            text: Some("  \n".to_owned()),
            file: None,
        };
        assert_eq!(words.read("brief_bytes", 100).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let words = Words {
            text: None,
            file: Some("/no/such/file".into()),
        };
        let stop = words.read("brief_bytes", 100).unwrap_err();
        assert!(stop.to_string().contains("/no/such/file"), "{stop}");
    }
}
