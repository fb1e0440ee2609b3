//! Reading a blob: in pieces, and only to its end if its bytes are those that its name promises.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rules::id::BlobRef;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::{BlobError, Blobs};

/// A blob as it is read; its last read fails when its bytes are not those of its name.
#[derive(Debug)]
pub struct BlobReader {
    blobs: Blobs,
    blob: BlobRef,
    file: tokio::fs::File,
    hash: Sha256,
    left_bytes: u64,
    is_checked: bool,
}

impl Blobs {
    /// Opens a blob to be read in pieces.
    pub async fn open_blob(&self, blob: &BlobRef) -> Result<BlobReader, BlobError> {
        let file = match tokio::fs::File::open(self.0.place(blob)).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BlobError::Missing(*blob));
            }
            Err(error) => return Err(self.0.failed("open a blob", error)),
        };
        Ok(BlobReader {
            blobs: self.clone(),
            blob: *blob,
            file,
            hash: Sha256::new(),
            left_bytes: blob.bytes,
            is_checked: false,
        })
    }

    /// The bytes of a blob that has at most `max_bytes`.
    pub async fn read_limited(&self, blob: &BlobRef, max_bytes: u64) -> Result<Vec<u8>, BlobError> {
        if blob.bytes > max_bytes {
            return Err(BlobError::TooLarge {
                limit: "max_bytes".to_owned(),
                max: max_bytes,
            });
        }
        let mut reader = self.open_blob(blob).await?;
        let mut bytes = Vec::new();
        match reader.read_to_end(&mut bytes).await {
            Ok(_) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(BlobError::Damaged(*blob))
            }
            Err(error) => Err(self.0.failed("read a blob", error)),
        }
    }

    /// Takes a damaged blob out of its place, so that it counts as missing and can come anew.
    fn set_aside(&self, blob: &BlobRef) {
        let place = self.0.place(blob);
        let aside = place.with_extension("damaged");
        // Where even this fails, the next reader finds the same damage again.
        drop(std::fs::rename(place, aside));
    }
}

impl BlobReader {
    /// Takes a piece in; says whether it may be given on.
    fn check(&mut self, piece: &[u8]) -> io::Result<()> {
        self.hash.update(piece);
        let left_bytes = self.left_bytes.checked_sub(piece.len() as u64);
        let is_at_end = piece.is_empty() || left_bytes.is_none_or(|left| left == 0);
        if self.is_checked && piece.is_empty() || !is_at_end {
            self.left_bytes = left_bytes.unwrap_or(0);
            return Ok(());
        }
        let found: [u8; 32] = self.hash.finalize_reset().into();
        self.is_checked = left_bytes == Some(0) && found == self.blob.sha256;
        if self.is_checked {
            self.left_bytes = 0;
            return Ok(());
        }
        self.blobs.set_aside(&self.blob);
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            BlobError::Damaged(self.blob),
        ))
    }
}

impl AsyncRead for BlobReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if into.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        ready!(Pin::new(&mut self.file).poll_read(context, into))?;
        // The last piece is given on only when the whole is right.
        let checked = self.check(&into.filled()[before..]);
        if checked.is_err() {
            into.set_filled(before);
        }
        Poll::Ready(checked)
    }
}
