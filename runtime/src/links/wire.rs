//! What two nodes say to each other before and beside calls: frames, the hello and its answer.
//!
//! ```text
//! frame   length (4) │ bytes …
//! hello   "domolink" │ version (2) │ envelope: who, to whom, what for
//! answer  "domolink" │ version (2) │ 0, or the refusal's number (1) │ envelope: who answers
//! ```
//!
//! # Invariant
//! Magic, version and the refusal's number stand where they stand for ever: nodes of any two
//! releases can tell each other why they do not speak.

use std::io;

use ractor_cluster::BytesConvertable;
use rules::id::NodeId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::refusal::Refusal;
use crate::codec::{self, Form};

/// The version of all that is said on links; a change that older nodes cannot take raises it.
pub const PROTOCOL: u16 = 1;
/// The oldest version that is still spoken.
const OLDEST: u16 = 1;
const MAGIC: [u8; 8] = *b"domolink";
/// A hello is about a hundred bytes; whoever sends more is no node.
pub(super) const MAX_HELLO_BYTES: usize = 4096;
/// What a hello or its answer begins with.
const HEAD_BYTES: usize = MAGIC.len() + 2;

/// The file of keys. Numbers from 40 to 49 are of this folder.
pub(super) const KEYS: Form = form(40);
const HELLO: Form = form(41);
const WELCOME: Form = form(42);
/// What a newcomer asks.
pub(super) const JOIN_ASK: Form = form(43);
/// What it is answered.
pub(super) const JOIN_ANSWER: Form = form(44);
/// What stands before a call between nodes.
pub(super) const CALL: Form = form(45);
/// What stands before its answer.
pub(super) const ANSWER: Form = form(46);

const fn form(kind: u8) -> Form {
    Form { kind, version: 1 }
}

/// What a connection is for. Variants are added at the end only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Errand {
    Link,
    Join,
    Stream(Purpose),
}

/// What a stream between two nodes is for. Variants are added at the end only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Purpose {
    /// Blobs and snapshots.
    Blobs,
    /// Requests of the API that another node answers.
    Http,
    /// Leases.
    Lease,
}

/// What whoever opens a connection says first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub cluster: String,
    pub from: NodeId,
    pub to: NodeId,
    pub incarnation: u64,
    pub release: String,
    pub errand: Errand,
    /// The sender's boot clock when it was sent.
    pub sent_us: u64,
    /// What calls to the sender over this link must carry.
    pub ticket: u64,
}

/// What it is answered, if it is not refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Welcome {
    pub incarnation: u64,
    pub release: String,
    pub sent_us: u64,
    pub ticket: u64,
}

/// Sends a hello.
pub(super) async fn say_hello(
    stream: &mut (impl AsyncWrite + Unpin),
    hello: &Hello,
) -> io::Result<()> {
    let body = codec::encode(HELLO, hello).map_err(io::Error::other)?;
    write_frame(stream, &[&head(PROTOCOL), &body]).await
}

/// Waits for a hello; the inner error is to be answered.
pub(super) async fn hear_hello(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Result<Hello, Refusal>> {
    let frame = read_frame(stream, MAX_HELLO_BYTES).await?;
    Ok(understand(&frame)
        .and_then(|body| codec::decode(HELLO, body).map_err(|_| Refusal::Malformed)))
}

/// Answers a hello.
pub(super) async fn answer_hello(
    stream: &mut (impl AsyncWrite + Unpin),
    answer: &Result<Welcome, Refusal>,
) -> io::Result<()> {
    match answer {
        Ok(welcome) => {
            let body = codec::encode(WELCOME, welcome).map_err(io::Error::other)?;
            write_frame(stream, &[&head(PROTOCOL), &[0], &body]).await
        }
        Err(refusal) => write_frame(stream, &[&head(PROTOCOL), &[refusal.code()]]).await,
    }
}

/// Waits for the answer to a hello.
pub(super) async fn hear_answer(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Result<Welcome, Refusal>> {
    let frame = read_frame(stream, MAX_HELLO_BYTES).await?;
    let Some((head, rest)) = frame.split_at_checked(HEAD_BYTES) else {
        return Ok(Err(Refusal::Malformed));
    };
    Ok(match rest.split_first() {
        // A refusal is understood whatever its version is.
        Some((code, _)) if *code != 0 && head.starts_with(&MAGIC) => Err(Refusal::of_code(*code)),
        Some((_, body)) => understand(head)
            .and_then(|_| codec::decode(WELCOME, body).map_err(|_| Refusal::Malformed)),
        None => Err(Refusal::Malformed),
    })
}

fn head(version: u16) -> Vec<u8> {
    [MAGIC.as_slice(), &version.to_be_bytes()].concat()
}

/// What follows the head, if it is of a version that is spoken.
fn understand(frame: &[u8]) -> Result<&[u8], Refusal> {
    let (head, body) = frame
        .split_at_checked(HEAD_BYTES)
        .filter(|(head, _)| head.starts_with(&MAGIC))
        .ok_or(Refusal::Malformed)?;
    let version = u16::from_be_bytes([head[HEAD_BYTES - 2], head[HEAD_BYTES - 1]]);
    if version < OLDEST {
        return Err(Refusal::OldProtocol);
    }
    if version > PROTOCOL {
        return Err(Refusal::NewProtocol);
    }
    Ok(body)
}

/// Writes one frame.
pub(super) async fn write_frame(
    stream: &mut (impl AsyncWrite + Unpin),
    parts: &[&[u8]],
) -> io::Result<()> {
    let bytes = parts.concat();
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&bytes).await?;
    stream.flush().await
}

/// Reads one frame of at most so many bytes.
pub(super) async fn read_frame(
    stream: &mut (impl AsyncRead + Unpin),
    max_bytes: usize,
) -> io::Result<Vec<u8>> {
    let length = stream.read_u32().await? as usize;
    if length > max_bytes {
        let what = format!("a frame of {length} bytes, at most {max_bytes}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// A head in its envelope and bytes behind it, as one message of ractor's.
///
/// Whatever comes from outside becomes one of these; whether it is any good shows in
/// [`Wire::open`], because ractor's own decoding can only panic.
#[derive(Debug)]
pub(super) struct Wire(Vec<u8>);

impl Wire {
    /// Packs a head and what it is about.
    pub fn pack<T: Serialize>(form: Form, head: &T, bytes: &[u8]) -> Option<Wire> {
        let head = codec::encode(form, head).ok()?;
        let length = u16::try_from(head.len()).ok()?.to_be_bytes();
        Some(Wire([&length, head.as_slice(), bytes].concat()))
    }

    /// The head, and the bytes behind it; nothing if it is no such thing.
    pub fn open<T: DeserializeOwned>(mut self, form: Form) -> Option<(T, Vec<u8>)> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let head = codec::decode(form, rest.get(..length)?).ok()?;
        self.0.drain(..2 + length);
        Some((head, self.0))
    }
}

impl BytesConvertable for Wire {
    fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn from_bytes(bytes: Vec<u8>) -> Wire {
        Wire(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Hello {
        Hello {
            cluster: "alpha".to_owned(),
            from: NodeId(2),
            to: NodeId(1),
            incarnation: 7,
            release: "0.1.0".to_owned(),
            errand: Errand::Stream(Purpose::Lease),
            sent_us: 5,
            ticket: 9,
        }
    }

    #[tokio::test]
    async fn a_hello_is_heard_as_it_was_said() {
        let mut said = Vec::new();
        say_hello(&mut said, &hello()).await.unwrap();
        assert_eq!(hear_hello(&mut said.as_slice()).await.unwrap(), Ok(hello()));
    }

    #[tokio::test]
    async fn another_protocol_is_refused_by_its_age() {
        for (version, refusal) in [(0, Refusal::OldProtocol), (2, Refusal::NewProtocol)] {
            let mut said = Vec::new();
            write_frame(&mut said, &[&head(version), b"whatever"])
                .await
                .unwrap();
            assert_eq!(
                hear_hello(&mut said.as_slice()).await.unwrap(),
                Err(refusal)
            );
        }
    }

    #[tokio::test]
    async fn a_refusal_is_understood_whatever_version_says_it() {
        for version in [0, 1, 900] {
            let mut said = Vec::new();
            let code = Refusal::Removed.code();
            write_frame(&mut said, &[&head(version), &[code], b"and more"])
                .await
                .unwrap();
            let heard = hear_answer(&mut said.as_slice()).await.unwrap();
            assert_eq!(heard, Err(Refusal::Removed));
        }
    }

    #[tokio::test]
    async fn what_is_too_long_or_no_hello_is_not_taken_in() {
        let mut long = u32::MAX.to_be_bytes().to_vec();
        long.extend([0; 100]);
        assert!(hear_hello(&mut long.as_slice()).await.is_err());
        let mut said = Vec::new();
        write_frame(&mut said, &[b"GET / HTTP/1.1"]).await.unwrap();
        assert_eq!(
            hear_hello(&mut said.as_slice()).await.unwrap(),
            Err(Refusal::Malformed)
        );
        assert_eq!(
            hear_answer(&mut said.as_slice()).await.unwrap(),
            Err(Refusal::Malformed)
        );
    }

    #[test]
    fn a_message_is_opened_as_it_was_packed_and_nothing_else_is() {
        let packed = Wire::pack(CALL, &(7_u64, true), b"bytes").unwrap();
        let sent = packed.into_bytes();
        for length in 0..20 {
            let cut = Wire::from_bytes(sent[..length].to_vec());
            assert!(cut.open::<(u64, bool)>(CALL).is_none(), "{length}");
        }
        let other = Wire::from_bytes(sent.clone());
        assert!(other.open::<(u64, bool)>(ANSWER).is_none());
        let opened = Wire::from_bytes(sent).open::<(u64, bool)>(CALL);
        assert_eq!(opened, Some(((7, true), b"bytes".to_vec())));
    }
}
