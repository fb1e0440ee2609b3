//! An attempt's own socket: who comes is heard while the attempt is current, and cut when it is not.
//!
//! # Invariant
//! No line stays open to an attempt that was superseded or ended, nor to any while this node has no
//! lease: lines are cut as soon as it is known, and each request is checked anew.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::Shared;
use super::admit::{Pass, current};
use super::answer::answer;
use super::body::Cut;
use super::bounds::{ACCEPT_PAUSE, HEAD_BYTES, HEAD_LINES};
use super::flushed::Flushed;
use super::ordinals::Ordinals;
use super::token::Token;
use crate::lease::Isolated;
use crate::spool::{AttemptName, SOCKET, Spool, TOKEN, make_folder, own, short_way};

/// How often it is looked whether the lease is over, while lines are open.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a cut line may still say why it is cut; streams have no such time.
const CUT_GRACE: Duration = Duration::from_secs(1);

/// What is said to a connection too many; the whole answer, since nobody reads what it asks.
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nmajordomo-refusal: limit\r\n\
    content-type: application/json\r\ncontent-length: 93\r\nconnection: close\r\n\r\n\
    {\"error\":{\"code\":\"limit\",\"message\":\"limit gateway.connections_per_attempt is reached\"}}      ";

/// The open socket of an attempt; dropped, it is closed and every line is cut.
#[derive(Debug)]
pub(super) struct Porch {
    pub(super) pass: Pass,
    task: AbortHandle,
}

impl Drop for Porch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An attempt as its lines know it.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) pass: Pass,
    pub(super) token: Token,
    pub(super) ordinals: Arc<Ordinals>,
    /// Counts how often its lines were cut.
    cuts: watch::Sender<u64>,
}

impl Guest {
    /// Comes when the lines that are open now are cut.
    pub(super) fn cut(&self) -> Cut {
        let mut cuts = self.cuts.subscribe();
        Box::pin(async move {
            // Whoever counts is gone: then nobody lets anything through any more.
            let _ = cuts.changed().await;
        })
    }
}

impl Porch {
    /// Opens the socket in the attempt's folder, in place of an older one.
    pub(super) fn open(
        shared: &Arc<Shared>,
        pass: Pass,
        spool: &Spool,
        name: &AttemptName,
    ) -> io::Result<Self> {
        let token = Token::read(&spool.in_folder(name).join(TOKEN))?;
        let folder = spool.gateway_folder(name);
        make_folder(&folder, 0o755).map_err(io::Error::other)?;
        let guest = Arc::new(Guest {
            pass: pass.clone(),
            token,
            ordinals: Ordinals::open(&folder)?,
            cuts: watch::Sender::new(0),
        });
        let (_folder, way) = short_way(&folder)?;
        match fs::remove_file(folder.join(SOCKET)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&way)?;
        fs::set_permissions(folder.join(SOCKET), Permissions::from_mode(0o600))?;
        own(&folder.join(SOCKET), spool.owner()).map_err(io::Error::other)?;
        let task = tokio::spawn(keep(Arc::clone(shared), guest, listener));
        let task = task.abort_handle();
        Ok(Self { pass, task })
    }
}

/// Serves the socket for as long as it is open.
async fn keep(shared: Arc<Shared>, guest: Arc<Guest>, listener: UnixListener) {
    let mut lines = JoinSet::new();
    let case = shared.ledger.watch_case(guest.pass.attempt.case);
    let mut isolated = shared.isolated();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if lines.len() < shared.bounds.connections_per_attempt => {
                    lines.spawn(serve(Arc::clone(&shared), Arc::clone(&guest), stream));
                }
                Ok((stream, _)) => turn_away(stream),
                Err(error) => {
                    let attempt = guest.pass.attempt;
                    tracing::warn!(%attempt, %error, "nobody can be let in; tried again");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = lines.join_next() => {}
            () = case.changed() => {
                let is_over = shared.ledger.read(|state| {
                    current(state, shared.node, &guest.pass).is_err()
                });
                if is_over {
                    cut(&guest, &mut lines);
                }
            }
            () = turns_isolated(&mut isolated) => cut(&guest, &mut lines),
            // By the clock too: a lease ends whether anybody says so or not.
            () = tokio::time::sleep(LOOK_EVERY), if !lines.is_empty() => {
                if !shared.leases.holds() {
                    cut(&guest, &mut lines);
                }
            }
        }
    }
}

/// Cuts all lines that are open: streams at once, and whatever else after it had time to say why.
fn cut(guest: &Guest, lines: &mut JoinSet<()>) {
    if lines.is_empty() {
        return;
    }
    guest.cuts.send_modify(|cuts| *cuts += 1);
    let cut = std::mem::take(lines);
    tokio::spawn(async move {
        tokio::time::sleep(CUT_GRACE).await;
        drop(cut);
    });
}

/// Returns when the node loses its lease; never where it is not known how that stands, since then
/// nothing is let through at all.
async fn turns_isolated(isolated: &mut Option<watch::Receiver<Isolated>>) {
    if let Some(isolated) = isolated {
        while isolated.changed().await.is_ok() {
            if isolated.borrow_and_update().since.is_some() {
                return;
            }
        }
    }
    std::future::pending::<()>().await;
}

async fn serve(shared: Arc<Shared>, guest: Arc<Guest>, stream: UnixStream) {
    let (io, flush) = Flushed::new(stream);
    let bounds = &shared.bounds;
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_limit)
        .max_headers(HEAD_LINES)
        .max_buf_size(HEAD_BYTES);
    let service = service_fn(|request| {
        let (shared, guest) = (Arc::clone(&shared), Arc::clone(&guest));
        let flush = flush.clone();
        async move { Ok::<_, std::convert::Infallible>(answer(&shared, &guest, &flush, request).await) }
    });
    let served = server.serve_connection(TokioIo::new(io), service).await;
    if let Err(error) = served {
        tracing::debug!(attempt = %guest.pass.attempt, %error, "an agent's line broke off");
    }
}

/// Says to one connection too many that it is one.
fn turn_away(mut stream: UnixStream) {
    // What fits into the empty buffer of a socket goes at once.
    let _ = futures_util::FutureExt::now_or_never(stream.write_all(TOO_MANY));
}
