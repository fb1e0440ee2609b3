//! One group commit in the journal: a frame, found again by its own checksum.
//!
//! ```text
//! magic │ generation │ seq │ length │ checksum of the frame before │ checksum │ body │ padding
//!   4   │     8      │  8  │   4    │              4               │    4     │  …   │ to 8
//! ```

use crate::codec;

/// What stands before a frame's body.
pub(super) const HEAD_BYTES: usize = 32;
/// Frames begin at multiples of this, so that a search for them is short.
pub(super) const ALIGN_BYTES: usize = 8;
/// The largest body: bounds how long one group takes to write.
pub(super) const MAX_BODY_BYTES: usize = 1024 * 1024;
const MAGIC: [u8; 4] = *b"dfrm";

/// A frame that was found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The run of the journal that wrote it.
    pub generation: u64,
    /// Its number; rises by one from frame to frame, over all generations.
    pub seq: u64,
    /// The checksum of the frame before it.
    pub previous: u32,
    /// Its own checksum.
    pub sum: u32,
    /// What it holds.
    pub body: Vec<u8>,
}

/// The bytes of a frame, with their padding, and its checksum.
pub(super) fn encode(generation: u64, seq: u64, previous: u32, body: &[u8]) -> (Vec<u8>, u32) {
    let mut bytes = Vec::with_capacity(framed_bytes(body.len()));
    bytes.extend(MAGIC);
    bytes.extend(generation.to_le_bytes());
    bytes.extend(seq.to_le_bytes());
    bytes.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(previous.to_le_bytes());
    let sum = codec::checksum(&[&bytes, body]);
    bytes.extend(sum.to_le_bytes());
    bytes.extend(body);
    bytes.resize(framed_bytes(body.len()), 0);
    (bytes, sum)
}

/// What a body takes with head and padding.
pub(super) fn framed_bytes(body_bytes: usize) -> usize {
    (HEAD_BYTES + body_bytes).next_multiple_of(ALIGN_BYTES)
}

/// The frame that begins `bytes`; none when there is no whole one.
pub(super) fn decode(bytes: &[u8]) -> Option<Frame> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    if head[..4] != MAGIC {
        return None;
    }
    let long = |at: usize| head[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
    let short = |at: usize| head[at..at + 4].try_into().map_or(0, u32::from_le_bytes);
    let body = rest.get(..short(20) as usize)?;
    let sum = short(28);
    if body.len() > MAX_BODY_BYTES || codec::checksum(&[&head[..28], body]) != sum {
        return None;
    }
    Some(Frame {
        generation: long(4),
        seq: long(12),
        previous: short(24),
        sum,
        body: body.to_vec(),
    })
}

/// All whole frames of a file, with their places, whatever lies between them.
pub(super) fn find_all(bytes: &[u8]) -> Vec<(usize, Frame)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + HEAD_BYTES <= bytes.len() {
        match decode(&bytes[at..]) {
            Some(frame) => {
                let length = framed_bytes(frame.body.len());
                found.push((at, frame));
                at += length;
            }
            None => at += ALIGN_BYTES,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_behind_damage() {
        let (one, sum) = encode(7, 1, 0, b"one");
        let (two, _) = encode(7, 2, sum, b"the second");
        let mut bytes = [one.clone(), vec![0xFF; 24], two, vec![0; 64]].concat();
        let numbers = |bytes: &[u8]| -> Vec<u64> {
            find_all(bytes).iter().map(|(_, frame)| frame.seq).collect()
        };
        assert_eq!(numbers(&bytes), [1, 2]);
        bytes[HEAD_BYTES] ^= 1;
        assert_eq!(numbers(&bytes), [2]);
    }

    #[test]
    fn every_flipped_bit_unmakes_a_frame() {
        let (bytes, _) = encode(u64::MAX, 3, 9, b"body");
        let whole = HEAD_BYTES + 4;
        for bit in 0..whole * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped).is_none(), "bit {bit}");
        }
        assert!((0..whole).all(|end| decode(&bytes[..end]).is_none()));
    }
}
