//! `GET /v1/backup`: all that the cluster knows, as one file.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use rules::deed::Deed;
use tokio::sync::mpsc;

use crate::admin::deeds;
use crate::admin::desk::Shared;
use crate::admin::extract::QueryOf;
use crate::admin::people::Asker;
use crate::admin::refused::Answered;
use crate::admin::wire::{ErrorBody, FreshQuery};

/// Pieces that wait for the client: a few of 256 KiB.
const AHEAD: usize = 4;

/// A backup: the state, the closed cases and the blobs, consistent at one entry. It comes as fast as
/// the client takes it; one that has no end was broken off, and `domo backup --check` says so.
#[utoipa::path(get, path = "/v1/backup", tag = "cluster", params(FreshQuery),
    responses((status = 200, description = "the backup",
               body = Vec<u8>, content_type = "application/octet-stream"),
              (status = 503, description = "there is no quorum; ask with consistency=local for what this node knows",
               body = ErrorBody)))]
pub(super) async fn backup(
    State(desk): State<Shared>,
    asker: Asker,
    QueryOf(query): QueryOf<FreshQuery>,
) -> Answered<Response> {
    let place = desk.stream()?;
    desk.fresh(query.consistency).await?;
    deeds::note(&desk, &asker, Deed::Backup).await?;
    let (to, pieces) = mpsc::channel(AHEAD);
    let desk = Arc::clone(&desk);
    tokio::spawn(async move {
        let release = env!("CARGO_PKG_VERSION");
        let (ledger, blobs, cluster) = (&desk.ledger, &desk.blobs, &desk.cluster);
        match runtime::backup::take(ledger, blobs, cluster, release, to).await {
            Ok(()) => tracing::info!("a backup was made"),
            Err(error) => tracing::warn!(%error, "a backup was not finished"),
        }
        drop(place);
    });
    let body = stream::unfold(pieces, |mut pieces: mpsc::Receiver<Vec<u8>>| async move {
        let piece = pieces.recv().await?;
        Some((Ok::<_, io::Error>(Bytes::from(piece)), pieces))
    });
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((kind, Body::from_stream(body)).into_response())
}
