//! The token that lets a newcomer in: which cluster it is, a secret, and where to ask.
//!
//! ```text
//! domo-join-<base32: version, fingerprint of the authority, secret, checksum>@host:port,host:port
//! ```
//!
//! # Why
//! The fingerprint goes with the token, so that a newcomer can tell the cluster from an impostor
//! before it says the secret. The addresses stay readable: whoever hands the token on may mend them.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::names::Fingerprint;
use crate::codec;

const PREFIX: &str = "domo-join-";
/// The form of the token; another one is another number.
const VERSION: u8 = 1;
/// 128 bits, which nobody guesses while a token lives.
const SECRET_BYTES: usize = 16;
/// Version, fingerprint, secret, checksum.
const TOKEN_BYTES: usize = 1 + 32 + SECRET_BYTES + 4;
/// Addresses in one token; one that answers is enough.
const MAX_ADDRESSES: usize = 16;
/// The longest `host:port`: a host's name has at most 253 characters.
pub(super) const MAX_ADDRESS_BYTES: usize = 260;
/// The digits, 32 of them: no capitals, nothing that looks like something else.
const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Why a text is no token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It is something else, or a part is missing: copy all of it.
    #[error("this is no join token")]
    NoToken,
    /// It was mistyped: copy it again.
    #[error("the join token was mistyped")]
    Mistyped,
    /// A newer release made it: use that one.
    #[error("the join token is of a version that this release does not read")]
    Version,
    /// It does not say where to ask.
    #[error("{0:?} is not an address such as 10.0.0.1:7400")]
    BadAddress(String),
    /// It says nowhere or too many places.
    #[error("a join token holds 1 to 16 addresses")]
    Addresses,
}

/// Lets a newcomer in; who holds it may join while it lives.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    fingerprint: Fingerprint,
    secret: [u8; SECRET_BYTES],
    addresses: Vec<String>,
}

impl JoinToken {
    /// A new token, with a secret of its own.
    pub fn new(fingerprint: Fingerprint, addresses: Vec<String>) -> Result<JoinToken, TokenError> {
        check(&addresses)?;
        Ok(JoinToken {
            fingerprint,
            secret: rand::random(),
            addresses,
        })
    }

    /// Reads a token.
    pub fn parse(text: &str) -> Result<JoinToken, TokenError> {
        let rest = text
            .trim()
            .strip_prefix(PREFIX)
            .ok_or(TokenError::NoToken)?;
        let (digits, addresses) = rest.split_once('@').ok_or(TokenError::NoToken)?;
        let bytes = from_digits(digits).ok_or(TokenError::Mistyped)?;
        let (body, sum) = bytes.split_last_chunk::<4>().ok_or(TokenError::Mistyped)?;
        if codec::checksum(&[body]).to_be_bytes() != *sum {
            return Err(TokenError::Mistyped);
        }
        if body[0] != VERSION || bytes.len() != TOKEN_BYTES {
            return Err(TokenError::Version);
        }
        let (fingerprint, secret) = body[1..].split_at(32);
        let addresses: Vec<String> = addresses.split(',').map(str::to_owned).collect();
        check(&addresses)?;
        Ok(JoinToken {
            fingerprint: Fingerprint(fingerprint.try_into().map_err(|_| TokenError::Mistyped)?),
            secret: secret.try_into().map_err(|_| TokenError::Mistyped)?,
            addresses,
        })
    }

    /// What the cluster keeps of the token: nobody can make the token of it.
    pub fn secret_hash(&self) -> [u8; 32] {
        hash_of(&self.secret)
    }

    /// Which cluster it is for.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Where to ask.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    pub(super) fn secret(&self) -> [u8; SECRET_BYTES] {
        self.secret
    }
}

/// What is kept of a secret.
pub(super) fn hash_of(secret: &[u8; SECRET_BYTES]) -> [u8; 32] {
    Sha256::new()
        .chain_update(PREFIX)
        .chain_update(secret)
        .finalize()
        .into()
}

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![VERSION];
        bytes.extend(self.fingerprint.0);
        bytes.extend(self.secret);
        bytes.extend(codec::checksum(&[&bytes]).to_be_bytes());
        write!(
            f,
            "{PREFIX}{}@{}",
            to_digits(&bytes),
            self.addresses.join(",")
        )
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing of the secret.
        f.debug_struct("JoinToken")
            .field("fingerprint", &self.fingerprint)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl FromStr for JoinToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<JoinToken, TokenError> {
        JoinToken::parse(text)
    }
}

fn check(addresses: &[String]) -> Result<(), TokenError> {
    if !(1..=MAX_ADDRESSES).contains(&addresses.len()) {
        return Err(TokenError::Addresses);
    }
    let bad = addresses.iter().find(|address| !is_address(address));
    bad.map_or(Ok(()), |bad| {
        Err(TokenError::BadAddress(bad.chars().take(100).collect()))
    })
}

/// Does it look like `host:port`?
pub(super) fn is_address(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]%".contains(c);
    text.len() <= MAX_ADDRESS_BYTES
        && text.chars().all(is_plain)
        && text.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0)
        })
}

fn to_digits(bytes: &[u8]) -> String {
    let (mut digits, mut bits, mut held) = (String::new(), 0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            digits.push(char::from(DIGITS[(held >> bits) as usize & 31]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        digits.push(char::from(DIGITS[(held << (5 - bits)) as usize & 31]));
    }
    digits
}

fn from_digits(digits: &str) -> Option<Vec<u8>> {
    if digits.len() > 2 * TOKEN_BYTES {
        return None;
    }
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for digit in digits.bytes() {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> JoinToken {
        let addresses = vec!["10.0.0.1:7400".to_owned(), "[fe80::1]:7400".to_owned()];
        JoinToken::new(Fingerprint([7; 32]), addresses).unwrap()
    }

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let token = token();
        let text = token.to_string();
        assert!(text.starts_with("domo-join-"), "{text}");
        assert_eq!(JoinToken::parse(&format!(" {text}\n")).unwrap(), token);
        assert_ne!(token.secret_hash(), self::token().secret_hash());
    }

    #[test]
    fn each_letter_that_is_mistyped_is_seen() {
        let text = token().to_string();
        let end = text.find('@').unwrap();
        // The last digit holds a bit that counts nothing.
        for at in PREFIX.len()..end - 1 {
            for digit in ["a", "9", "Z", "?"] {
                let mut wrong = text.clone();
                wrong.replace_range(at..=at, digit);
                let read = JoinToken::parse(&wrong);
                assert!(wrong == text || read.is_err(), "{wrong}");
            }
        }
    }

    #[test]
    fn a_token_without_a_place_to_ask_is_refused() {
        let new = |addresses: &[&str]| {
            let addresses = addresses
                .iter()
                .map(|address| (*address).to_owned())
                .collect();
            JoinToken::new(Fingerprint([0; 32]), addresses).map(drop)
        };
        assert_eq!(new(&[]), Err(TokenError::Addresses));
        for bad in [
            "",
            "host",
            "host:",
            ":1",
            "host:0",
            "host:70000",
            "a b:1",
            "a,b:1",
            "a@b:1",
        ] {
            assert_eq!(new(&[bad]), Err(TokenError::BadAddress(bad.to_owned())));
        }
        assert_eq!(new(&["host-1.example:7400"]), Ok(()));
        assert_eq!(JoinToken::parse("hello"), Err(TokenError::NoToken));
    }

    #[test]
    fn a_token_does_not_show_its_secret_to_a_log() {
        let token = token();
        let shown = format!("{token:?}");
        assert!(!shown.contains(&format!("{:?}", token.secret)), "{shown}");
    }
}
