//! Blobs between nodes: on connections of their own, so that no large file delays a heartbeat.
//!
//! ```text
//! put: Put(name) ─► Have │ Send ─► bytes ─► Kept │ Refused
//! get: Get(name) ─► Absent │ Coming, bytes
//! ```
//!
//! # Invariant
//! What arrives is kept only under the name that its bytes have.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use rules::id::{BlobRef, NodeId};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::peers::{Carrying, Peers};
use super::{Blobs, CHUNK_BYTES};
use crate::codec::{self, Form};
use crate::links::{Linked, Purpose, Stream};

/// What is said before bytes.
const ASK: Form = Form {
    kind: 40,
    version: 1,
};
/// What is answered.
const TOLD: Form = Form {
    kind: 41,
    version: 1,
};
/// What is said fits into so much; bytes go beside it.
const MAX_SAID_BYTES: u32 = 4096;
/// Longest wait for the next piece: a disk that is slow, not a peer that is gone.
const PIECE_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Serialize, Deserialize)]
enum Ask {
    Put(BlobRef),
    Get(BlobRef),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Told {
    /// It is here already.
    Have,
    /// Send it.
    Send,
    /// It is on the disk.
    Kept,
    /// It is not taken, for this reason.
    Refused(String),
    /// Its bytes follow.
    Coming,
    /// It is not here.
    Absent,
}

/// Brings blobs to other nodes and fetches them there.
#[derive(Debug)]
pub struct Carrier {
    /// This node's blobs.
    pub blobs: Blobs,
    /// The way to the others.
    pub linked: Linked,
}

impl Peers for Carrier {
    fn put(&self, to: NodeId, blob: BlobRef) -> Carrying<'_, Result<(), String>> {
        Box::pin(async move {
            let put = self.put_to(to, blob).await;
            put.map_err(|error| format!("node {to}: {error}"))
        })
    }

    fn fetch(&self, blob: BlobRef) -> Carrying<'_, bool> {
        Box::pin(async move {
            for from in self.peers() {
                match self.get_from(from, blob).await {
                    Ok(true) => return true,
                    Ok(false) => {}
                    Err(error) => tracing::debug!(%blob, %from, %error, "not fetched there"),
                }
            }
            false
        })
    }
}

impl Carrier {
    /// Those that are linked now, this node's own number apart.
    fn peers(&self) -> BTreeSet<NodeId> {
        let status = self.linked.status();
        let status = status.borrow();
        let up = status.iter().filter(|(_, link)| link.is_up);
        up.map(|(node, _)| *node).collect()
    }

    async fn put_to(&self, to: NodeId, blob: BlobRef) -> io::Result<()> {
        let mut stream = self.linked.connect(to, Purpose::Blobs).await?;
        say(&mut stream, ASK, &Ask::Put(blob)).await?;
        match hear::<Told>(&mut stream, TOLD).await? {
            Told::Have => return Ok(()),
            Told::Send => {}
            Told::Refused(why) => return Err(io::Error::other(why)),
            Told::Kept | Told::Coming | Told::Absent => return Err(astray()),
        }
        send(&mut stream, &self.blobs, blob).await?;
        match hear::<Told>(&mut stream, TOLD).await? {
            Told::Kept => Ok(()),
            Told::Refused(why) => Err(io::Error::other(why)),
            Told::Have | Told::Send | Told::Coming | Told::Absent => Err(astray()),
        }
    }

    async fn get_from(&self, from: NodeId, blob: BlobRef) -> io::Result<bool> {
        let mut stream = self.linked.connect(from, Purpose::Blobs).await?;
        say(&mut stream, ASK, &Ask::Get(blob)).await?;
        match hear::<Told>(&mut stream, TOLD).await? {
            Told::Absent => Ok(false),
            Told::Coming => {
                take(&mut stream, &self.blobs, blob).await?;
                Ok(true)
            }
            Told::Refused(why) => Err(io::Error::other(why)),
            Told::Have | Told::Send | Told::Kept => Err(astray()),
        }
    }
}

/// Answers one who came for blobs, until they go.
pub async fn serve(blobs: &Blobs, mut stream: Stream) -> io::Result<()> {
    loop {
        let asked = match hear::<Ask>(&mut stream, ASK).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            asked => asked?,
        };
        match asked {
            Ask::Put(blob) if is_here(blobs, blob).await => {
                say(&mut stream, TOLD, &Told::Have).await?;
            }
            Ask::Put(blob) => {
                say(&mut stream, TOLD, &Told::Send).await?;
                let told = match take(&mut stream, blobs, blob).await {
                    Ok(()) => Told::Kept,
                    Err(error) => Told::Refused(error.to_string()),
                };
                let is_kept = told == Told::Kept;
                say(&mut stream, TOLD, &told).await?;
                if !is_kept {
                    // What is left of it would be taken for the next question.
                    return Ok(());
                }
            }
            Ask::Get(blob) if blobs.has(&blob) => {
                say(&mut stream, TOLD, &Told::Coming).await?;
                send(&mut stream, blobs, blob).await?;
            }
            Ask::Get(_) => say(&mut stream, TOLD, &Told::Absent).await?,
        }
    }
}

/// Whether a blob is here; it is young again then, since an entry is about to name it.
async fn is_here(blobs: &Blobs, blob: BlobRef) -> bool {
    let blobs = blobs.clone();
    let found = tokio::task::spawn_blocking(move || blobs.has(&blob) && blobs.keep_young(&blob));
    found.await.unwrap_or(false)
}

async fn send(stream: &mut Stream, blobs: &Blobs, blob: BlobRef) -> io::Result<()> {
    let file = blobs.file(&blob).map_err(io::Error::other)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut left = blob.bytes;
    while left > 0 {
        let read = file.read(&mut chunk).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        left = left.saturating_sub(read as u64);
        timeout(PIECE_LIMIT, stream.write_all(&chunk[..read])).await??;
    }
    stream.flush().await
}

async fn take(stream: &mut Stream, blobs: &Blobs, blob: BlobRef) -> io::Result<()> {
    let mut writer = blobs.writer().map_err(io::Error::other)?;
    let mut left = blob.bytes;
    while left > 0 {
        let wanted = usize::try_from(left)
            .unwrap_or(CHUNK_BYTES)
            .min(CHUNK_BYTES);
        let mut chunk = vec![0; wanted];
        let read = timeout(PIECE_LIMIT, stream.read(&mut chunk)).await??;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        chunk.truncate(read);
        left -= read as u64;
        let written = tokio::task::spawn_blocking(move || {
            let written = writer.write(&chunk);
            (writer, written)
        });
        let (kept, written) = written.await.map_err(io::Error::other)?;
        written.map_err(io::Error::other)?;
        writer = kept;
    }
    let finished = tokio::task::spawn_blocking(move || writer.finish_as(&blob)).await;
    finished
        .map_err(io::Error::other)?
        .map_err(io::Error::other)
}

async fn say<T: Serialize>(stream: &mut Stream, form: Form, what: &T) -> io::Result<()> {
    let bytes = codec::encode(form, what).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let said = async {
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(&bytes).await?;
        stream.flush().await
    };
    timeout(PIECE_LIMIT, said).await?
}

async fn hear<T: serde::de::DeserializeOwned>(stream: &mut Stream, form: Form) -> io::Result<T> {
    let heard = async {
        let mut length = [0; 4];
        stream.read_exact(&mut length).await?;
        let length = u32::from_be_bytes(length);
        if length > MAX_SAID_BYTES {
            return Err(astray());
        }
        let mut bytes = vec![0; length as usize];
        stream.read_exact(&mut bytes).await?;
        codec::decode(form, &bytes).map_err(io::Error::other)
    };
    timeout(PIECE_LIMIT, heard).await?
}

fn astray() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the peer said something else")
}
