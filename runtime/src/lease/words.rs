//! What a host and a leader say to each other over a lease's connection.
//!
//! ```text
//! host ─► length (2) │ envelope: Renewal{number, incarnation}
//!      ◄─ length (2) │ envelope: Answer{number, granted or refused}
//! ```

use std::io;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::codec::{self, Form};

/// A word is about forty bytes; whoever sends more speaks of something else.
const MAX_WORD_BYTES: usize = 256;
/// Words of some tens of bytes go at once, or the other end takes nothing any more.
const WRITE_LIMIT: Duration = Duration::from_secs(2);

/// What a host asks. Numbers from 50 to 59 are of this folder.
pub(super) const RENEWAL: Form = Form {
    kind: 50,
    version: 1,
};
/// What it is answered.
pub(super) const ANSWER: Form = Form {
    kind: 51,
    version: 1,
};

/// A host asks for its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Renewal {
    pub number: u64,
    pub incarnation: u64,
}

/// It is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub number: u64,
    pub said: Result<Granted, Refusal>,
}

/// A lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Granted {
    pub term: u64,
    pub lease_ms: u64,
}

/// Why there is no lease. Variants are added at the end only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Refusal {
    /// Ask whoever leads.
    #[error("the node that was asked does not lead, or not yet")]
    NotLeader,
    /// Ask again: it may be there soon.
    #[error("the leader has no quorum at the moment")]
    NoQuorum,
    /// Join, or join again.
    #[error("this start of the daemon has not joined the cluster, or a later one has")]
    NotJoined,
    /// Ask again: it is being judged.
    #[error("the cluster holds this node for down and has not judged it up again")]
    Down,
}

/// Says one word.
pub(super) async fn say<T: Serialize>(
    line: &mut (impl AsyncWrite + Unpin),
    form: Form,
    word: &T,
) -> io::Result<()> {
    let body = codec::encode(form, word).map_err(io::Error::other)?;
    let length = u16::try_from(body.len()).map_err(io::Error::other)?;
    let bytes = [&length.to_be_bytes(), body.as_slice()].concat();
    let written = async {
        line.write_all(&bytes).await?;
        line.flush().await
    };
    tokio::time::timeout(WRITE_LIMIT, written).await?
}

/// Waits for one word.
pub(super) async fn hear<T: DeserializeOwned>(
    line: &mut (impl AsyncRead + Unpin),
    form: Form,
) -> io::Result<T> {
    let length = usize::from(line.read_u16().await?);
    if length > MAX_WORD_BYTES {
        let what = format!("a word of {length} bytes, at most {MAX_WORD_BYTES}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let mut body = vec![0; length];
    line.read_exact(&mut body).await?;
    codec::decode(form, &body).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_word_is_heard_as_it_was_said_and_a_flood_is_not_taken_in() {
        let answer = Answer {
            number: 7,
            said: Ok(Granted {
                term: 3,
                lease_ms: 3_000,
            }),
        };
        let mut said = Vec::new();
        say(&mut said, ANSWER, &answer).await.unwrap();
        let heard: Answer = hear(&mut said.as_slice(), ANSWER).await.unwrap();
        assert_eq!(heard, answer);
        assert!(
            hear::<Renewal>(&mut said.as_slice(), RENEWAL)
                .await
                .is_err()
        );
        let flood = [0xff; 4_000];
        assert!(hear::<Answer>(&mut flood.as_slice(), ANSWER).await.is_err());
    }
}
