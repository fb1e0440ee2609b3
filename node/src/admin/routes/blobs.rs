//! `POST /v1/blobs`, `GET /v1/blobs/{sha256}`: bytes up and down.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use rules::demand;
use rules::id::BlobRef;
use rules::right::Right;
use runtime::blob::{BlobWriter, CHUNK_BYTES};

use super::blocking;
use crate::admin::convert::case::blob;
use crate::admin::desk::{Desk, Shared};
use crate::admin::extract::{Paced, PathOf, length, plain};
use crate::admin::people::Asker;
use crate::admin::pieces::send;
use crate::admin::refused::{Answered, Refused};
use crate::admin::wire::{Blob, Code, ErrorBody};

/// Uploads a file that a case or a document will name. The same bytes twice are one blob.
#[utoipa::path(post, path = "/v1/blobs", tag = "blobs",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "it is durable under its digest", body = Blob),
              (status = 408, description = "it came too slowly", body = ErrorBody),
              (status = 413, description = "it is larger than blob_bytes", body = ErrorBody),
              (status = 503, description = "there are too many uploads now", body = ErrorBody),
              (status = 507, description = "the disk is full", body = ErrorBody)))]
pub(super) async fn upload(
    State(desk): State<Shared>,
    asker: Asker,
    request: Request,
) -> Answered<Response> {
    desk.demand(&asker, demand::cluster(Right::HandOver))?;
    plain(request.headers())?;
    let length = length(request.headers());
    let mut body = Paced::new(&desk, request.into_body());
    let limit = desk.limits.blob_bytes;
    let taken = match desk.upload() {
        Err(refused) => Err(refused),
        Ok(_) if length.is_some_and(|length| length > limit) => {
            Err(Refused::too_large("the file", "blob_bytes", limit))
        }
        Ok(_place) => take(&desk, &mut body).await,
    };
    match taken {
        Ok(taken) => Ok((StatusCode::CREATED, axum::Json(blob(&taken))).into_response()),
        Err(refused) => {
            body.drain().await;
            Err(refused)
        }
    }
}

async fn take(desk: &Desk, body: &mut Paced) -> Answered<BlobRef> {
    let blobs = desk.blobs.clone();
    let mut writer = blocking(move || Ok(blobs.writer()?)).await?;
    let mut gathered = Vec::with_capacity(CHUNK_BYTES);
    while let Some(piece) = body.next().await? {
        gathered.extend_from_slice(&piece);
        if gathered.len() >= CHUNK_BYTES {
            (writer, gathered) = write(writer, gathered).await?;
        }
    }
    (writer, _) = write(writer, gathered).await?;
    blocking(move || Ok(writer.finish()?)).await
}

async fn write(mut writer: BlobWriter, mut piece: Vec<u8>) -> Answered<(BlobWriter, Vec<u8>)> {
    blocking(move || {
        writer.write(&piece)?;
        piece.clear();
        Ok((writer, piece))
    })
    .await
}

/// The bytes of a blob.
#[utoipa::path(get, path = "/v1/blobs/{sha256}", tag = "blobs",
    params(("sha256" = String, Path, description = "its digest, in hexadecimal")),
    responses((status = 200, description = "its bytes",
               body = Vec<u8>, content_type = "application/octet-stream"),
              (status = 404, description = "it is not here", body = ErrorBody)))]
pub(super) async fn download(
    State(desk): State<Shared>,
    PathOf(sha256): PathOf<String>,
) -> Answered<Response> {
    let found = {
        let desk = Arc::clone(&desk);
        blocking(move || {
            desk.blob(&sha256)
                .map_err(|why| Refused::new(Code::NotFound, why))
        })
        .await?
    };
    send(&desk, &found).await
}
