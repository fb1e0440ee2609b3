//! A line of a file of records, and the step from one record to the next.
//!
//! ```text
//! {"format":"domo-audit-1","first":1,"before":"00…"}                      the first line of a file
//! {"head":"ab…","salt":"cd…","record":{"n":1,"index":2,…}}                each record
//! ```
//!
//! # Invariant
//! The head of a line is the SHA-256 of the head before it and of the bytes that stand between
//! `"record":` and the line's last brace. An erased salt is 32 dashes; anything else in its place must
//! have the digest that the record names.

use rules::audit::{Recorded, SALT_BYTES, head_after, salted};
use serde::{Deserialize, Serialize};

/// What the files are, and in which version of their form.
pub const FORMAT: &str = "domo-audit-1";
/// The longest line: an entry in digits and names, with room for its frame.
pub const MAX_LINE_BYTES: usize = 1024 * 1024;
/// A salt that was erased.
pub const ERASED: &str = "--------------------------------";

/// A head of the chain.
pub type Head = [u8; 32];

/// What the first line of a file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHead {
    /// Always [`FORMAT`].
    pub format: String,
    /// The number of the first record.
    pub first: u64,
    /// The head before it, in hexadecimal digits.
    pub before: String,
}

impl FileHead {
    /// The first line of a file that begins with this record.
    pub fn line(first: u64, before: &Head) -> String {
        let before = hex(before);
        format!("{{\"format\":\"{FORMAT}\",\"first\":{first},\"before\":\"{before}\"}}\n")
    }

    /// What a first line says: the first record, and the head before it.
    pub fn read(line: &str) -> Option<(u64, Head)> {
        let head: Self = serde_json::from_str(line).ok()?;
        if head.format != FORMAT || head.first == 0 {
            return None;
        }
        let before = unhex(&head.before)?;
        // Nothing else may stand in it: whoever changed it is found.
        (Self::line(head.first, &before).trim_end() == line).then_some((head.first, before))
    }
}

/// A record's line, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The head with it.
    pub head: Head,
    /// What its texts are salted with; none once that was erased.
    pub salt: Option<[u8; SALT_BYTES]>,
    /// Its number.
    pub number: u64,
    /// The entry that it tells of.
    pub index: u64,
    /// Its canonical bytes.
    pub record: &'a str,
}

/// The line of a record.
pub fn line(recorded: &Recorded) -> String {
    let (head, salt) = (hex(&recorded.head), hex(&recorded.salt));
    let record = &recorded.line;
    format!("{{\"head\":\"{head}\",\"salt\":\"{salt}\",\"record\":{record}}}\n")
}

impl<'a> Kept<'a> {
    /// Takes a line apart.
    pub fn read(line: &'a str) -> Option<Self> {
        let rest = line.strip_prefix("{\"head\":\"")?;
        let (head, rest) = rest.split_at_checked(64)?;
        let rest = rest.strip_prefix("\",\"salt\":\"")?;
        let (salt, rest) = rest.split_at_checked(2 * SALT_BYTES)?;
        let rest = rest.strip_prefix("\",\"record\":")?;
        let record = rest.strip_suffix('}')?;
        let (number, rest) = number(record.strip_prefix("{\"n\":")?)?;
        let (index, _) = self::number(rest.strip_prefix(",\"index\":")?)?;
        Some(Self {
            head: unhex(head)?,
            salt: match salt {
                ERASED => None,
                salt => Some(unhex(salt)?),
            },
            number,
            index,
            record,
        })
    }

    /// Whether its salt is the one that was drawn, or erased.
    fn has_its_salt(&self) -> bool {
        let Some(salt) = &self.salt else { return true };
        let named = self.record.split_once(",\"salt\":\"").map(|(_, rest)| rest);
        named.is_some_and(|named| named.starts_with(&hex(&salted(salt, b""))))
    }
}

fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

/// How far a chain was followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// The last record.
    pub count: u64,
    /// The head with it.
    pub head: Head,
    /// The entry that it told of.
    pub index: u64,
    /// Records whose salt was erased.
    pub erased: u64,
}

/// Why a line is not the next one of its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is no record.
    NoRecord,
    /// It is a record, but another one is next.
    OutOfOrder {
        /// Which it is.
        found: u64,
    },
    /// It does not follow from the head before it.
    Altered,
    /// Its salt is not the one that was drawn.
    OtherSalt,
}

impl Walk {
    /// Before this record, with the head before it.
    pub fn before(first: u64, head: Head) -> Self {
        Self {
            count: first.saturating_sub(1),
            head,
            ..Self::default()
        }
    }

    /// Follows the chain by one line.
    pub fn step<'a>(&mut self, line: &'a str) -> Result<Kept<'a>, Flaw> {
        let kept = Kept::read(line).ok_or(Flaw::NoRecord)?;
        if kept.number != self.count + 1 {
            return Err(Flaw::OutOfOrder { found: kept.number });
        }
        if head_after(&self.head, kept.record.as_bytes()) != kept.head || kept.index <= self.index {
            return Err(Flaw::Altered);
        }
        if !kept.has_its_salt() {
            return Err(Flaw::OtherSalt);
        }
        self.count = kept.number;
        self.head = kept.head;
        self.index = kept.index;
        self.erased += u64::from(kept.salt.is_none());
        Ok(kept)
    }
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// The bytes that so many digits name; capital ones are none of ours.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits = text.as_bytes();
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}
