//! The name of a team, a worker, a skill, a playbook, a stage, a human: short, plain, the same everywhere.
//!
//! # Invariant
//! 1 to 63 characters; lower-case ASCII letters, digits and `-`; a letter or digit at both ends.
//! So a name is also a DNS label, a folder, a container's name, a word on the command line that no
//! flag can be mistaken for, and looks like no other name to the eye.

use std::fmt;

use thiserror::Error;

/// A DNS label is at most this long, and so is everything that is made from one.
pub const LONGEST_NAME_CHARS: usize = 63;

/// A checked name; see the invariant of this file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why something is no name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing stands there.
    #[error("a name has at least one character")]
    Give,
    /// Too many characters.
    #[error("a name has at most {LONGEST_NAME_CHARS} characters")]
    Shorten,
    /// A character that is not taken.
    #[error("a name has lower-case letters, digits and `-`, not `{}`", .0.escape_default())]
    Replace(char),
    /// `-` at an end.
    #[error("a name begins and ends with a letter or a digit")]
    Trim,
}

impl Name {
    /// Checks `text` and takes it as a name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let is_taken = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() {
            return Err(NameError::Give);
        }
        if let Some(wrong) = text.chars().find(|c| !is_taken(*c)) {
            return Err(NameError::Replace(wrong));
        }
        if text.len() > LONGEST_NAME_CHARS {
            return Err(NameError::Shorten);
        }
        if text.starts_with('-') || text.ends_with('-') {
            return Err(NameError::Trim);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Name, NameError};

    #[test]
    fn plain_names_are_taken() {
        for text in ["a", "sre", "k8s-root-cause", "1", &"x".repeat(63)] {
            assert_eq!(Name::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn each_wrong_name_is_told_what_to_do() {
        assert_eq!(Name::new(""), Err(NameError::Give));
        assert_eq!(Name::new("SRE"), Err(NameError::Replace('S')));
        assert_eq!(Name::new("a b"), Err(NameError::Replace(' ')));
        assert_eq!(Name::new("a/../b"), Err(NameError::Replace('/')));
        assert_eq!(Name::new("é"), Err(NameError::Replace('é')));
        assert_eq!(Name::new(&"x".repeat(64)), Err(NameError::Shorten));
        assert_eq!(Name::new("-rf"), Err(NameError::Trim));
        assert_eq!(Name::new("a-"), Err(NameError::Trim));
    }
}
