//! The token of an attempt: whoever shows it is that attempt's agent, and nobody after it.
//!
//! # Why
//! It stands in a file of the attempt's own input folder: the agent reads it there, and a daemon
//! that was started again reads it there too. With the attempt's end it opens nothing any more.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

/// Bytes of chance in a token: nobody guesses one.
const TOKEN_BYTES: usize = 32;
/// The longest file that is read as one.
const FILE_LIMIT_BYTES: u64 = 256;

/// A token; it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// One that nobody has.
    #[must_use]
    pub fn fresh() -> Self {
        let bytes: [u8; TOKEN_BYTES] = rand::rng().random();
        Self(
            bytes
                .iter()
                .fold(String::new(), |text, byte| text + &format!("{byte:02x}")),
        )
    }

    /// The token as its agent is given it.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The one in a file.
    pub(super) fn read(file: &Path) -> io::Result<Self> {
        if fs::metadata(file)?.len() > FILE_LIMIT_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long"));
        }
        let text = fs::read_to_string(file)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether a request shows it, as `Authorization: Bearer`, once. Takes the same time for each
    /// wrong one.
    pub(super) fn is_shown_in(&self, headers: &HeaderMap) -> bool {
        let mut shown = headers.get_all(AUTHORIZATION).iter();
        let (Some(shown), None) = (shown.next(), shown.next()) else {
            return false;
        };
        let Some((scheme, token)) = shown.to_str().ok().and_then(|text| text.split_once(' '))
        else {
            return false;
        };
        let digest = |text: &str| Sha256::digest(text.as_bytes());
        scheme.eq_ignore_ascii_case("bearer") && digest(token.trim()) == digest(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_whole_once_and_as_a_bearer() {
        let token = Token::fresh();
        let text = String::from_utf8(token.as_bytes().to_vec()).unwrap();
        let shows = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            token.is_shown_in(&headers)
        };
        let bearer = format!("Bearer {text}");
        assert!(shows(&[&bearer]) && shows(&[&format!("bearer {text}")]));
        for wrong in [
            &[][..],
            &[text.as_str()],
            &["Bearer "],
            &[&format!("Basic {text}")],
            &[&bearer[..bearer.len() - 1]],
            &[&bearer, &bearer],
        ] {
            assert!(!shows(wrong), "{wrong:?}");
        }
        assert_ne!(token, Token::fresh());
        assert!(!format!("{token:?}").contains(&text));
    }
}
