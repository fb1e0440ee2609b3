//! Bytes that outlive the process: bincode inside an envelope that says what it holds.
//!
//! ```text
//! "domo" │ kind │ version │ 0 0 │ length │ checksum │ body …
//!    4       1       1       2      4         4
//! ```
//!
//! # Invariant
//! Whatever is read was written whole by [`encode`] under the same kind and version: a flipped bit,
//! a missing end and a byte too many are errors, never values. Nothing that is read can make the
//! process allocate much more than it was handed.
//!
//! # Why
//! bincode says nothing about itself and its 2.0.1 is the last one that is kept; so it stays in this
//! file, and an envelope outlives it. A version is one struct: a field that is added or moved is a
//! new version, which the tests of golden bytes enforce.

use bincode::config::{Configuration, Limit, LittleEndian, Varint, standard};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// What stands before a body.
pub const HEAD_BYTES: usize = 16;
/// The largest body in one envelope: what is larger is written in pieces.
pub const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
const MAGIC: [u8; 4] = *b"domo";
/// A CRC-32.
const SUM_BYTES: usize = 4;

/// What an envelope holds, and in which version of its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// What it is; a number is never given twice.
    pub kind: u8,
    /// Which struct it was made of.
    pub version: u8,
}

impl Form {
    const fn of(kind: u8, version: u8) -> Self {
        Self { kind, version }
    }
}

/// An entry of the log.
pub const RECORD: Form = Form::of(1, 4);
/// The vote.
pub const VOTE: Form = Form::of(2, 1);
/// Whose ledger it is.
pub const IDENTITY: Form = Form::of(3, 1);
/// Where the log begins.
pub const PURGED: Form = Form::of(4, 1);
/// What a snapshot covers.
pub const SNAPSHOT_HEAD: Form = Form::of(5, 1);
/// A piece of a snapshot's state.
pub const SNAPSHOT_PIECE: Form = Form::of(6, 6);
/// A piece of a closed case.
pub const CASE_PIECE: Form = Form::of(7, 3);
/// What a list says of a closed case.
pub const CASE_SUMMARY: Form = Form::of(8, 1);
/// The beginning of a journal's file.
pub const JOURNAL_HEAD: Form = Form::of(9, 1);
/// How far the archive is, and what it must hold.
pub const ARCHIVE: Form = Form::of(10, 3);
/// What one node asks another's ledger.
pub const PEER_CALL: Form = Form::of(11, 4);
/// What it answers.
pub const PEER_ANSWER: Form = Form::of(12, 1);
/// Up to which frame a store's engine has everything, with the store's facts.
pub const SETTLED: Form = Form::of(13, 1);
/// Where the log ends.
pub const LOG_END: Form = Form::of(14, 1);
/// A post that has left the state.
pub const POST: Form = Form::of(15, 1);
/// What stands at the beginning of a backup.
pub const BACKUP_HEAD: Form = Form::of(60, 1);
/// What in a backup comes next.
pub const BACKUP_ITEM: Form = Form::of(61, 1);
/// A piece of it.
pub const BACKUP_PIECE: Form = Form::of(62, 1);

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CodecError {
    /// They end too early, or go on too long.
    #[error("{found} bytes instead of {expected}")]
    Length {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// They do not begin as they should.
    #[error("they do not begin with an envelope of kind {}", expected.kind)]
    Foreign {
        /// What they should be.
        expected: Form,
    },
    /// A newer release wrote them: use that one.
    #[error("they are of version {found}; this release reads {}", expected.version)]
    Version {
        /// What this release reads.
        expected: Form,
        /// What they are.
        found: u8,
    },
    /// They were changed since they were written.
    #[error("their checksum is wrong")]
    Checksum,
    /// They are more than fits.
    #[error("{bytes} bytes are more than {MAX_BODY_BYTES}")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// They are whole, but no such value.
    #[error("they are no such value: {0}")]
    Value(String),
}

/// Puts a value into its envelope.
pub fn encode<T: Serialize>(form: Form, value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(256);
    bytes.resize(HEAD_BYTES, 0);
    encode_into(value, &mut bytes)?;
    let (head, body) = bytes
        .split_first_chunk_mut()
        .ok_or_else(|| CodecError::Value("they have no room for a head".to_owned()))?;
    *head = head_of(form, body)?;
    Ok(bytes)
}

/// Takes a value out of its envelope, which is all of `bytes`.
pub fn decode<T: DeserializeOwned>(form: Form, bytes: &[u8]) -> Result<T, CodecError> {
    decode_body(open(form, bytes)?)
}

/// A value's bytes without an envelope, for a body that is written in pieces.
pub fn encode_body<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    bincode::serde::encode_to_vec(value, config::<{ usize::MAX }>())
        .map_err(|error| CodecError::Value(error.to_string()))
}

/// Writes a value's bytes without an envelope.
pub fn encode_into<T: Serialize>(
    value: &T,
    into: &mut impl std::io::Write,
) -> Result<usize, CodecError> {
    bincode::serde::encode_into_std_write(value, into, config::<{ usize::MAX }>())
        .map_err(|error| CodecError::Value(error.to_string()))
}

/// The value that is all of `body`.
pub fn decode_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, CodecError> {
    // A number counts with the bytes that it has in memory, up to sixteen for one in the body; the
    // limit lets every true body pass, and no length inside it claim more than that.
    let (value, used) = match body.len() {
        0..0x1000 => bincode::serde::decode_from_slice(body, config::<0x1_0000>()),
        0x1000..0x1_0000 => bincode::serde::decode_from_slice(body, config::<0x10_0000>()),
        0x1_0000..0x10_0000 => bincode::serde::decode_from_slice(body, config::<0x100_0000>()),
        0x10_0000..0x100_0000 => bincode::serde::decode_from_slice(body, config::<0x1000_0000>()),
        0x100_0000..0x1000_0000 => {
            bincode::serde::decode_from_slice(body, config::<0x1_0000_0000>())
        }
        _ => bincode::serde::decode_from_slice(body, config::<0x10_0000_0000>()),
    }
    .map_err(|error| CodecError::Value(error.to_string()))?;
    if used != body.len() {
        return Err(CodecError::Length {
            expected: used,
            found: body.len(),
        });
    }
    Ok(value)
}

/// Puts a body into an envelope.
pub fn seal(form: Form, body: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
    bytes.extend(head_of(form, body)?);
    bytes.extend(body);
    Ok(bytes)
}

fn head_of(form: Form, body: &[u8]) -> Result<[u8; HEAD_BYTES], CodecError> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    if body.len() > MAX_BODY_BYTES {
        return Err(CodecError::TooLarge { bytes: body.len() });
    }
    let mut head = [0; HEAD_BYTES];
    let (said, sum) = head.split_at_mut(HEAD_BYTES - SUM_BYTES);
    let form = [form.kind, form.version, 0, 0];
    let parts = MAGIC.into_iter().chain(form).chain(length.to_le_bytes());
    said.iter_mut()
        .zip(parts)
        .for_each(|(byte, part)| *byte = part);
    sum.copy_from_slice(&checksum(&[said, body]).to_le_bytes());
    Ok(head)
}

/// The body of the envelope that is all of `bytes`.
pub fn open(form: Form, bytes: &[u8]) -> Result<&[u8], CodecError> {
    let (head, body) = bytes
        .split_first_chunk::<HEAD_BYTES>()
        .ok_or(CodecError::Length {
            expected: HEAD_BYTES,
            found: bytes.len(),
        })?;
    let length = body_length(form, head)?;
    if body.len() != length {
        return Err(CodecError::Length {
            expected: HEAD_BYTES + length,
            found: bytes.len(),
        });
    }
    if checksum(&[&head[..12], body]) != sum_of(bytes) {
        return Err(CodecError::Checksum);
    }
    if head[5] != form.version {
        return Err(CodecError::Version {
            expected: form,
            found: head[5],
        });
    }
    Ok(body)
}

/// How many bytes follow this head, for one who reads an envelope from a file.
pub fn body_length(form: Form, head: &[u8; HEAD_BYTES]) -> Result<usize, CodecError> {
    if head[..4] != MAGIC || head[4] != form.kind || head[6..8] != [0, 0] {
        return Err(CodecError::Foreign { expected: form });
    }
    let length = u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
    if length > MAX_BODY_BYTES {
        return Err(CodecError::TooLarge { bytes: length });
    }
    Ok(length)
}

/// The checksum that a sealed envelope carries.
pub fn sum_of(sealed: &[u8]) -> u32 {
    sealed
        .get(12..16)
        .and_then(|sum| sum.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

/// CRC-32 (IEEE) over all parts.
pub fn checksum(parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

fn config<const LIMIT: usize>() -> Configuration<LittleEndian, Varint, Limit<LIMIT>> {
    standard().with_limit::<LIMIT>()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Sample {
        number: u64,
        text: String,
        choice: Option<Result<u8, String>>,
        map: BTreeMap<u16, Vec<u8>>,
    }

    const SAMPLE: Form = Form {
        kind: 200,
        version: 3,
    };

    fn sample() -> Sample {
        Sample {
            number: 70_000,
            text: "zwölf".to_owned(),
            choice: Some(Err("no".to_owned())),
            map: BTreeMap::from([(7, vec![1, 2]), (300, vec![])]),
        }
    }

    fn hex(bytes: &[u8]) -> String {
        let digits =
            |byte: &u8| [byte >> 4, byte & 15].map(|four| char::from_digit(four.into(), 16));
        bytes.iter().flat_map(digits).flatten().collect()
    }

    #[test]
    fn what_is_on_disks_is_still_written_and_read_in_the_same_bytes() {
        let golden = concat!(
            "646f6d6f",
            "c8",
            "03",
            "0000",
            "1a000000",
            "8887c771",
            "fc70110100",
            "067a77c3b66c66",
            "0101026e6f",
            "02",
            "07020102",
            "fb2c0100",
        );
        let bytes = encode(SAMPLE, &sample()).unwrap();
        assert_eq!(hex(&bytes), golden);
        assert_eq!(decode::<Sample>(SAMPLE, &bytes).unwrap(), sample());
    }

    #[test]
    fn every_flipped_bit_is_an_error() {
        let bytes = encode(SAMPLE, &sample()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode::<Sample>(SAMPLE, &flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn an_end_that_is_missing_and_a_byte_too_many_are_errors() {
        let mut bytes = encode(SAMPLE, &sample()).unwrap();
        for length in 0..bytes.len() {
            assert!(decode::<Sample>(SAMPLE, &bytes[..length]).is_err());
        }
        bytes.push(0);
        assert!(decode::<Sample>(SAMPLE, &bytes).is_err());
        let longer = seal(SAMPLE, &[encode_body(&7_u8).unwrap(), vec![0]].concat()).unwrap();
        assert!(decode::<u8>(SAMPLE, &longer).is_err());
    }

    #[test]
    fn another_kind_and_another_version_are_told_apart() {
        let bytes = encode(SAMPLE, &sample()).unwrap();
        let kind = Form {
            kind: 201,
            ..SAMPLE
        };
        let newer = Form {
            version: 4,
            ..SAMPLE
        };
        assert_eq!(
            open(kind, &bytes),
            Err(CodecError::Foreign { expected: kind })
        );
        let error = open(newer, &bytes).unwrap_err();
        assert_eq!(
            error,
            CodecError::Version {
                expected: newer,
                found: 3
            }
        );
    }

    #[test]
    fn a_body_of_small_numbers_is_read_whatever_its_size() {
        for count in [100, 4_000, 4_095, 60_000, 70_000, 1_100_000] {
            let numbers = vec![(1_u64, Some(0_u128)); count / 3];
            let body = encode_body(&numbers).unwrap();
            assert_eq!(
                decode_body::<Vec<(u64, Option<u128>)>>(&body).unwrap(),
                numbers
            );
        }
    }

    #[test]
    fn a_hostile_length_allocates_nothing() {
        // Nine bytes that claim a text of 2^63 bytes.
        let hostile = [0xFD, 0, 0, 0, 0, 0, 0, 0, 0x80];
        assert!(decode_body::<String>(&hostile).is_err());
        assert!(decode_body::<Vec<u64>>(&hostile).is_err());
        assert!(decode_body::<Vec<u64>>(&[0xFC, 0xFF, 0xFF, 0xFF, 0xFF]).is_err());
    }

    proptest! {
        #[test]
        fn whatever_bytes_come_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode::<Sample>(SAMPLE, &bytes);
            let _ = decode_body::<Sample>(&bytes);
        }
    }
}
