//! A snapshot on its way to a node that is too far behind for the log: piece by piece, in order.
//!
//! # Invariant
//! What arrives is installed only when it is whole: its file carries its own checksums, and consensus,
//! which ends on a snapshot that it cannot use, is never given one that does not fit them. A transfer
//! that is begun anew takes the place of the one before it, and waits while that is being installed,
//! whether or not anybody still waits for the answer: both have the same file.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use openraft::raft::SnapshotResponse;
use rules::id::NodeId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::door::Raft;
use super::network::{Links, NotHeard, PeerAnswer, PeerCall, ask};
use super::raft::{Place, Snapshot, SnapshotMeta, Types, Vote};
use super::snapshot::{SnapshotFile, Snapshots};
use crate::disk::{self, File, OpenOptions};
use crate::world;

/// Bytes of one piece: heartbeats behind it wait for some milliseconds at most.
const PIECE_BYTES: usize = 256 * 1024;
/// Longest wait for a piece to be taken in: the last one is answered when all is installed.
const PIECE_LIMIT: Duration = Duration::from_mins(1);

/// A piece of a snapshot.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Piece {
    vote: Vote,
    meta: SnapshotMeta,
    /// Where in the file it stands.
    offset: u64,
    bytes: Vec<u8>,
    is_last: bool,
}

/// What came of a piece.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum PieceTaken {
    /// The next one is wanted, which stands there.
    Next(u64),
    /// The snapshot is installed, or refused by a higher vote.
    Done(Vote),
    /// It cannot be kept: begin again later.
    Failed(String),
}

/// Why a snapshot was not sent.
#[derive(Debug, Error)]
pub(super) enum NotSent {
    /// The other node does not answer.
    #[error(transparent)]
    NotHeard(#[from] NotHeard),
    /// The file cannot be read: it was replaced by a newer one.
    #[error("the snapshot cannot be read")]
    Unreadable(#[from] io::Error),
    /// The other node cannot keep it.
    #[error("the other node cannot keep it: {0}")]
    Refused(String),
}

/// Sends a snapshot whole and waits until it is installed.
pub(super) async fn send(
    links: &dyn Links,
    to: NodeId,
    vote: Vote,
    snapshot: &Snapshot,
) -> Result<SnapshotResponse<Types>, NotSent> {
    // Open for as long as it is sent: a newer snapshot removes the name, not the bytes.
    let mut file = File::open(snapshot.snapshot.path())?;
    let mut offset = 0;
    loop {
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::with_capacity(PIECE_BYTES);
        let read = (&mut file)
            .take(PIECE_BYTES as u64)
            .read_to_end(&mut bytes)?;
        let is_last = read < PIECE_BYTES;
        let piece = Piece {
            vote,
            meta: snapshot.meta.clone(),
            offset,
            bytes,
            is_last,
        };
        let asked = ask(links, to, &PeerCall::Snapshot(piece), PIECE_LIMIT).await?;
        let PeerAnswer::Snapshot(taken) = asked else {
            return Err(NotHeard::Astray.into());
        };
        match taken {
            PieceTaken::Next(next) => offset = next,
            PieceTaken::Done(vote) => return Ok(SnapshotResponse::new(vote)),
            PieceTaken::Failed(why) => return Err(NotSent::Refused(why)),
        }
    }
}

/// Takes a piece in; the last one is installed. It is taken to its end even where nobody waits for it
/// any more.
pub(super) async fn take(
    coming: &Arc<tokio::sync::Mutex<Coming>>,
    raft: &Raft,
    piece: Piece,
) -> PieceTaken {
    let (coming, raft) = (Arc::clone(coming), raft.clone());
    let taking = world::spawn(async move { coming.lock().await.take(&raft, piece).await });
    taking
        .await
        .unwrap_or_else(|lost| PieceTaken::Failed(io::Error::from(lost).to_string()))
}

/// A snapshot that is coming in.
#[derive(Debug)]
pub(super) struct Coming {
    path: PathBuf,
    of: Option<(Vote, SnapshotMeta)>,
    offset: u64,
}

impl Coming {
    /// Nothing yet; pieces are gathered in this file.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            of: None,
            offset: 0,
        }
    }

    async fn take(&mut self, raft: &Raft, piece: Piece) -> PieceTaken {
        match self.keep(&piece) {
            Err(error) => {
                self.give_up();
                return PieceTaken::Failed(error.to_string());
            }
            Ok(false) => return PieceTaken::Next(self.offset),
            Ok(true) => {}
        }
        self.of = None;
        let file = SnapshotFile::at(self.path.clone());
        if let Err(error) = check(&file, &piece.meta).await {
            self.give_up();
            return PieceTaken::Failed(error.to_string());
        }
        let snapshot = Snapshot {
            meta: piece.meta,
            snapshot: file,
        };
        let installed = raft.install_full_snapshot(piece.vote, snapshot).await;
        // One that was wanted has its own name now.
        self.give_up();
        match installed {
            Ok(response) => PieceTaken::Done(response.vote),
            Err(error) => PieceTaken::Failed(error.to_string()),
        }
    }

    /// Nothing is coming any more: what came takes no room.
    fn give_up(&mut self) {
        self.of = None;
        drop(disk::remove(&self.path));
    }

    /// Writes a piece where it belongs; says whether the file is whole. A piece that stands
    /// elsewhere than expected is left, and its sender is told where to go on.
    fn keep(&mut self, piece: &Piece) -> io::Result<bool> {
        let of = (piece.vote, piece.meta.clone());
        if self.of.as_ref() != Some(&of) {
            self.of = Some(of);
            self.offset = 0;
            File::create(&self.path)?;
        }
        if piece.offset != self.offset {
            return Ok(false);
        }
        let mut file = OpenOptions {
            append: true,
            ..OpenOptions::default()
        }
        .open(&self.path)?;
        file.write_all(&piece.bytes)?;
        self.offset += piece.bytes.len() as u64;
        Ok(piece.is_last)
    }
}

/// Refuses what is not whole, or rotted before it was sent.
async fn check(file: &SnapshotFile, meta: &SnapshotMeta) -> io::Result<()> {
    let (file, wanted) = (file.clone(), meta.last_log_id.as_ref().map(Place::of));
    world::blocking(move || Snapshots::check(&file, wanted)).await?
}
