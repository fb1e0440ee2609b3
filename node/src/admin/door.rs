//! The door: takes connections in, asks who they are, and sends away what is too much.
//!
//! ```text
//! accept ─► room? ─► share? ─► HTTP/1.1, one request at a time ─► who? ─► routes
//!             │       │        │
//!             └───────┴────────┴─► told why (503 or 403), listened to for a moment, closed
//! ```
//!
//! # Invariant
//! Memory is bounded: by the number of connections, each with one head and one answer under way,
//! and by the limits of bodies and streams. What is refused is told so at once, with the limit's
//! name; nothing waits at the door.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse as _;
use http_body_util::BodyExt as _;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::desk::Desk;
use super::limits::{self, DoorLimits};
use super::patience::Patient;
use super::people::{Asker, People};
use super::refused::Refused;
use super::socket::Socket;
use super::wire::Code;

/// How long the door rests when the system has no file left for another connection.
const NO_FILES_REST: Duration = Duration::from_millis(20);

/// The door of a node.
pub(super) struct Door {
    pub(super) desk: Arc<Desk>,
    pub(super) people: People,
    pub(super) router: Router,
}

/// How many connections each user holds.
type Held = Arc<Mutex<HashMap<u32, usize>>>;

/// One place of a user's share, given back when it is dropped.
struct Share {
    held: Held,
    uid: u32,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.uid);
            }
        }
    }
}

fn share(held: &Held, uid: u32, limit: usize) -> Option<Share> {
    let mut counts = held.lock().unwrap_or_else(PoisonError::into_inner);
    let count = counts.entry(uid).or_default();
    if *count >= limit {
        return None;
    }
    *count += 1;
    drop(counts);
    Some(Share {
        held: Arc::clone(held),
        uid,
    })
}

impl Door {
    /// Serves until `stop` says so; then lets open requests finish, for a bounded while.
    pub(super) async fn keep(self, socket: &Socket, mut stop: watch::Receiver<bool>) {
        let door = Arc::new(self);
        let limits: &DoorLimits = &door.desk.limits;
        let room = Arc::new(Semaphore::new(limits.connections));
        let told = Arc::new(Semaphore::new(limits::TOLD_REFUSALS));
        let held = Held::default();
        let mut open = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = socket.listener.accept() => accepted,
                _ = stop.wait_for(|is_over| *is_over) => break,
                Some(_) = open.join_next(), if !open.is_empty() => continue,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be taken in");
                    door.desk
                        .troubles
                        .saw("files", "the system has no file left for a connection");
                    tokio::time::sleep(NO_FILES_REST).await;
                    continue;
                }
            };
            let entered = Arc::clone(&room)
                .try_acquire_owned()
                .map_err(|_| Refused::full("max_connections", limits.connections as u64));
            let entered = entered.and_then(|place| Ok((place, door.ask(&stream, &held)?)));
            match entered {
                Ok((place, (uid, share))) => {
                    let (door, stop) = (Arc::clone(&door), stop.clone());
                    open.spawn(async move {
                        door.serve(stream, uid, stop).await;
                        drop((place, share));
                    });
                }
                Err(refused) => door.send_away(stream, refused, &told),
            }
        }
        let finish = async { while open.join_next().await.is_some() {} };
        if tokio::time::timeout(limits::STOP_GRACE, finish)
            .await
            .is_err()
        {
            tracing::info!(
                open = open.len(),
                "connections are cut off: their time is up"
            );
        }
    }

    /// Who holds the other end, if they have room left.
    fn ask(&self, stream: &UnixStream, held: &Held) -> Result<(u32, Share), Refused> {
        let uid = stream.peer_cred().map(|peer| peer.uid());
        let uid = uid.map_err(|error| {
            Refused::new(
                Code::NotYours,
                format!("the system does not say who asks: {error}"),
            )
        })?;
        let per_user = self.desk.limits.per_user;
        let share = share(held, uid, per_user)
            .ok_or_else(|| Refused::full("connections_per_user", per_user as u64))?;
        Ok((uid, share))
    }

    async fn serve(&self, stream: UnixStream, uid: u32, mut stop: watch::Receiver<bool>) {
        let router = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            let asker = Asker::known(&self.desk, &self.people, uid, request.headers());
            let router = router.clone();
            async move {
                match asker {
                    Ok(asker) => {
                        request.extensions_mut().insert(asker);
                        router.call(request).await
                    }
                    Err(refused) => Ok(refused.into_response()),
                }
            }
        });
        let io = TokioIo::new(Patient::new(stream, limits::WRITE_STANDSTILL));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.desk.limits.head_read)
            .max_buf_size(limits::HEAD_BYTES)
            .max_headers(limits::HEADERS)
            // Who says "that is all" after the question still gets the answer.
            .half_close(true)
            .serve_connection(io, service);
        let mut connection = std::pin::pin!(connection);
        let mut is_stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended badly");
                    }
                    return;
                }
                _ = stop.wait_for(|is_over| *is_over), if !is_stopping => {
                    is_stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    /// Tells a client why it is not let in.
    fn send_away(&self, stream: UnixStream, refused: Refused, told: &Arc<Semaphore>) {
        if let Some(limit) = &refused.0.limit {
            self.desk.troubles.saw(&limit.name, &refused.0.message);
        }
        let Ok(place) = Arc::clone(told).try_acquire_owned() else {
            // A word in passing: it may not be read, but nothing waits for it.
            let _ = stream.try_write(BRIEF_REFUSAL);
            return;
        };
        tokio::spawn(async move {
            let told = tokio::time::timeout(limits::REFUSAL_LINGER, tell(stream, refused)).await;
            if let Ok(Err(error)) = told {
                tracing::debug!(%error, "a refused client did not listen");
            }
            drop(place);
        });
    }
}

/// What the flood is told; with its length, because the line breaks right behind it.
const BRIEF_REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\
content-type: application/json\r\nretry-after: 1\r\ncontent-length: 85\r\n\r\n\
{\"error\":{\"code\":\"full\",\"message\":\"more connections than this node can even refuse\"}}";

/// Answers a client's first words with the refusal, and takes off the line what it goes on to say,
/// so that it comes to reading.
async fn tell(mut stream: UnixStream, refused: Refused) -> io::Result<()> {
    stream.readable().await?;
    let response = refused.into_response();
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(io::Error::other)?
        .to_bytes();
    let head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\nretry-after: 1\r\ncontent-length: {}\r\n\r\n",
        body.len(),
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await?;
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
