//! Bytes up and down, a piece at a time.

use std::io;
use std::path::Path;

use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::{Method, Request, header};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::connection::{Answer, Asked, Sent, invalid, understood};
use super::lines::frame;
use super::path::{NoQuery, path};
use super::{Client, ClientError};
use crate::admin::wire::{Blob, Consistency, FreshQuery};

/// Bytes that are read from a file at a time: what a blob's chunk is between nodes.
const PIECE_BYTES: usize = 256 << 10;

impl Client {
    /// Uploads bytes; saying it twice is harmless.
    pub async fn upload(&self, bytes: impl Into<Bytes>) -> Result<Blob, ClientError> {
        let bytes = bytes.into();
        let length = bytes.len() as u64;
        let body = Full::new(bytes)
            .map_err(|never| match never {})
            .boxed_unsync();
        self.put(body, length).await
    }

    /// Uploads a file, a piece at a time.
    pub async fn upload_file(&self, file: &Path) -> Result<Blob, ClientError> {
        let cannot = |source| ClientError::CannotRead {
            path: file.to_owned(),
            source,
        };
        let opened = File::open(file).await.map_err(cannot)?;
        let found = opened.metadata().await.map_err(cannot)?;
        if !found.is_file() {
            return Err(cannot(io::Error::other("it is no plain file")));
        }
        self.put(pieces(opened, found.len()), found.len()).await
    }

    /// A blob by its digest.
    pub async fn blob(&self, sha256: &str) -> Result<Download, ClientError> {
        Download::open(self, path(&["blobs", sha256], &NoQuery)).await
    }

    /// A backup of the cluster.
    pub async fn backup(&self, consistency: Consistency) -> Result<Download, ClientError> {
        Download::open(self, path(&["backup"], &FreshQuery { consistency })).await
    }

    async fn put(&self, body: Sent, length: u64) -> Result<Blob, ClientError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path(&["blobs"], &NoQuery))
            .header(header::HOST, "domo")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, length)
            .body(body)
            .map_err(|error| invalid(&error))?;
        understood(&self.connections.send(request).await?)
    }
}

/// The first `length` bytes of a file: what is written behind them meanwhile is left out.
fn pieces(file: File, length: u64) -> Sent {
    let pieces = stream::unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return None;
        }
        let most = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        let mut piece = vec![0; most];
        let read = file.read(&mut piece).await.and_then(|read| match read {
            0 => Err(io::Error::other("the file was cut while it was read")),
            read => Ok(read),
        });
        match read {
            Ok(read) => {
                piece.truncate(read);
                let left = left - read as u64;
                Some((Ok(Frame::data(Bytes::from(piece))), (file, left)))
            }
            Err(error) => Some((Err(error), (file, 0))),
        }
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// Bytes on their way down.
pub struct Download {
    answer: Answer,
}

impl Download {
    pub(super) async fn open(client: &Client, path: String) -> Result<Self, ClientError> {
        let asked = Asked::new(Method::GET, path);
        let answer = client.connections.stream(&asked).await?;
        Ok(Self { answer })
    }

    /// How many there are.
    pub fn bytes(&self) -> Option<u64> {
        let length = self.answer.response.headers().get(header::CONTENT_LENGTH)?;
        length.to_str().ok()?.parse().ok()
    }

    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        frame(self.answer.response.body_mut()).await
    }

    /// Writes all of it to `to`; answers how many bytes that were.
    pub async fn write_to(
        mut self,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<u64, ClientError> {
        let mut written = 0;
        while let Some(piece) = self.next().await? {
            to.write_all(&piece)
                .await
                .map_err(|error| ClientError::Unknown {
                    request_id: None,
                    why: format!("cannot write what was downloaded: {error}"),
                })?;
            written += piece.len() as u64;
        }
        Ok(written)
    }
}
