//! A blob on its way down, a piece at a time, compared with its name.
//!
//! # Invariant
//! The last piece leaves only after all bytes were compared: a client that got the announced number
//! of bytes got the right ones, and one that did not sees the answer break off.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use rules::id::BlobRef;
use runtime::blob::BlobError;
use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use super::desk::Shared;
use super::limits::PIECE_BYTES;
use super::refused::{Answered, Refused};

struct Reading {
    blob: BlobRef,
    file: File,
    digest: Sha256,
    left: u64,
    _place: OwnedSemaphorePermit,
}

/// Sends a blob as the answer.
pub(super) async fn send(desk: &Shared, blob: &BlobRef) -> Answered<Response> {
    let place = desk.stream()?;
    desk.blobs.bring(blob).await?;
    let (desk, blob) = (Arc::clone(desk), *blob);
    let opened = tokio::task::spawn_blocking(move || -> Result<Reading, BlobError> {
        let file = desk.blobs.file(&blob)?;
        let found = file.metadata().map(|found| found.len());
        if found.is_ok_and(|bytes| bytes == blob.bytes) {
            let (digest, left) = (Sha256::new(), blob.bytes);
            return Ok(Reading {
                blob,
                file,
                digest,
                left,
                _place: place,
            });
        }
        Err(BlobError::Damaged(blob))
    });
    let reading = opened.await.map_err(|error| {
        Refused::new(
            super::wire::Code::Failed,
            format!("the work broke off: {error}"),
        )
    })??;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, reading.blob.bytes.to_string()),
        (header::ETAG, format!("\"{}\"", reading.blob)),
    ];
    let pieces = stream::try_unfold(reading, |reading| async move {
        if reading.left == 0 {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || reading.next());
        read.await.map_err(io::Error::other)?.map(Some)
    });
    Ok((headers, Body::from_stream(pieces)).into_response())
}

impl Reading {
    fn next(mut self) -> io::Result<(Bytes, Self)> {
        let most = usize::try_from(self.left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        let mut piece = vec![0; most];
        self.file.read_exact(&mut piece)?;
        self.digest.update(&piece);
        self.left -= piece.len() as u64;
        let is_end = self.left == 0;
        if is_end && self.digest.clone().finalize()[..] != self.blob.sha256 {
            tracing::error!(blob = %self.blob, "a blob is damaged: its bytes are not sent");
            return Err(io::Error::other(BlobError::Damaged(self.blob)));
        }
        Ok((piece.into(), self))
    }
}
