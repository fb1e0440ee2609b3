//! Ids of wishes: the same wish twice is done once.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AttemptId, BadName, ClockMs, shorten};
use crate::limits;

/// What the ids of the Manager's own requests begin with.
const ANSWER: &str = "answer-";
/// What the ids begin with under which a worker says what its agent says.
const SAID: &str = "said-";
/// What the ids of all personas begin with. They follow from what everybody can see: no face takes
/// one from a person, who could forestall the persona with it.
const OF_PERSONAS: [&str; 2] = [ANSWER, SAID];

/// Names one wish of a client, so that saying it twice does it once.
///
/// `word` or `word@clock`: with the ledger clock at which it was made, an id that
/// is older than the memory for ids is *expired* instead of new.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(String);

impl RequestId {
    /// Takes `text` as an id: 1 to 128 visible ASCII characters.
    pub fn new(text: &str) -> Result<Self, BadName> {
        if text.is_empty() || text.len() > limits::MAX_REQUEST_ID_BYTES {
            return Err(BadName {
                name: shorten(text),
                why: "1 to 128 characters are allowed",
            });
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(BadName {
                name: shorten(text),
                why: "only visible ASCII is allowed",
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The id of a step of the Manager's answer to a post.
    pub fn of_answer(post: u64, step: u32) -> Self {
        Self(format!("{ANSWER}{post}-{step}"))
    }

    /// The id under which a line of an attempt's agent is said.
    pub fn of_line(attempt: AttemptId, line: u64) -> Self {
        Self(format!("{SAID}{attempt}-{line}"))
    }

    /// Whether it is a persona's own.
    pub fn is_of_persona(&self) -> bool {
        OF_PERSONAS.iter().any(|prefix| self.0.starts_with(prefix))
    }

    /// An id that says when it was made.
    pub fn stamped(word: &str, made: ClockMs) -> Result<Self, BadName> {
        Self::new(&format!("{word}@{}", made.0))
    }

    /// When it was made, where it says so.
    pub fn made(&self) -> Option<ClockMs> {
        self.0
            .rsplit_once('@')
            .and_then(|(_, ms)| ms.parse().ok())
            .map(ClockMs)
    }

    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
