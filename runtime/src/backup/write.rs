//! Writing a backup: envelope by envelope, to whoever reads it as fast as they do.

use rules::id::{BlobRef, CaseId};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::{BackupError, End, Head, Item, PIECE_BYTES};
use crate::codec::{self, CodecError};

/// Where a backup goes.
pub(super) struct Writer {
    to: mpsc::Sender<Vec<u8>>,
    digest: Sha256,
    cases: u64,
    blobs: u64,
}

impl Writer {
    /// Begins a backup.
    pub async fn begin(to: mpsc::Sender<Vec<u8>>, head: &Head) -> Result<Self, BackupError> {
        let mut writer = Self {
            to,
            digest: Sha256::new(),
            cases: 0,
            blobs: 0,
        };
        let sealed = codec::encode(codec::BACKUP_HEAD, head).map_err(unwritten)?;
        writer.send(sealed).await?;
        Ok(writer)
    }

    /// Writes the state.
    pub async fn state(&mut self, body: &[u8]) -> Result<(), BackupError> {
        self.item(&Item::State(body.len() as u64)).await?;
        self.pieces(body).await
    }

    /// Writes a closed case.
    pub async fn case(&mut self, id: CaseId, body: &[u8]) -> Result<(), BackupError> {
        self.item(&Item::Case(id, body.len() as u64)).await?;
        self.cases += 1;
        self.pieces(body).await
    }

    /// Writes posts.
    pub async fn posts(&mut self, body: &[u8]) -> Result<(), BackupError> {
        self.item(&Item::Posts(body.len() as u64)).await?;
        self.pieces(body).await
    }

    /// Begins a blob; its pieces follow.
    pub async fn blob(&mut self, blob: BlobRef) -> Result<(), BackupError> {
        self.blobs += 1;
        self.item(&Item::Blob(blob)).await
    }

    /// Writes the next piece of a blob.
    pub async fn piece(&mut self, piece: &[u8]) -> Result<(), BackupError> {
        let sealed = codec::seal(codec::BACKUP_PIECE, piece).map_err(unwritten)?;
        self.send(sealed).await
    }

    /// Writes lines of the record.
    pub async fn records(&mut self, lines: &str) -> Result<(), BackupError> {
        self.item(&Item::Records(lines.len() as u64)).await?;
        self.pieces(lines.as_bytes()).await
    }

    /// Says that a blob is nowhere.
    pub async fn missing(&mut self, blob: BlobRef) -> Result<(), BackupError> {
        self.item(&Item::Missing(blob)).await
    }

    /// Says that this was all.
    pub async fn end(mut self) -> Result<(), BackupError> {
        let end = End {
            cases: self.cases,
            blobs: self.blobs,
            sha256: self.digest.clone().finalize().into(),
        };
        self.item(&Item::End(end)).await
    }

    /// Says why it goes no further.
    pub async fn broken(mut self, why: &BackupError) {
        // Whoever is gone need not be told.
        let _ = self.item(&Item::Broken(why.to_string())).await;
    }

    async fn pieces(&mut self, body: &[u8]) -> Result<(), BackupError> {
        for piece in body.chunks(PIECE_BYTES) {
            self.piece(piece).await?;
        }
        Ok(())
    }

    async fn item(&mut self, item: &Item) -> Result<(), BackupError> {
        let sealed = codec::encode(codec::BACKUP_ITEM, item).map_err(unwritten)?;
        self.send(sealed).await
    }

    async fn send(&mut self, sealed: Vec<u8>) -> Result<(), BackupError> {
        self.digest.update(&sealed);
        let sent = self.to.send(sealed).await;
        sent.map_err(|_| BackupError::Unread)
    }
}

pub(super) fn unwritten(error: CodecError) -> BackupError {
    super::failed("write a part of the backup")(std::io::Error::other(error))
}
