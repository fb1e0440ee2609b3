//! `[log]`: what this node writes about itself, and how.

use super::keys::Keys;

/// Filters are typed by people; a longer one is something else.
const LONGEST_FILTER_BYTES: usize = 1024;

/// The settings of `[log]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// For people or for programs.
    pub format: LogFormat,
    /// A level, or levels for parts.
    pub filter: String,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For a terminal.
    Human,
    /// One object a line.
    Json,
}

impl LogSettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        let formats = [("human", LogFormat::Human), ("json", LogFormat::Json)];
        Self {
            format: keys.choice("log.format", &formats),
            filter: keys.text("log.filter", LONGEST_FILTER_BYTES),
        }
    }
}
