//! Connections as they are held: how sockets are set, the stream that is handed out, the scissors.
//!
//! # Why
//! Each connection is held by a second descriptor of its socket. Shutting that one down ends the
//! connection at once for whoever reads or writes it, be it the links' library in the middle of a
//! write that a dead peer will never take.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use ractor_cluster::{BoxRead, BoxWrite, ClusterBidiStream};
use rules::id::NodeId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// What was sent and is not acknowledged for so long ends the connection: longer than the heartbeats
/// take, so that those say what happened.
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);
/// A connection on which nothing was said for so many seconds is asked whether it lives; again each
/// second, until it is too long unacknowledged.
const ASKED_AFTER_S: u32 = 2;
/// See [`ASKED_AFTER_S`].
const ASKED_EVERY_S: u32 = 1;

/// Sets a socket up: nothing waits to be sent together, and silence ends.
pub(super) fn tune(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let limit = u32::try_from(UNACKNOWLEDGED.as_millis()).unwrap_or(u32::MAX);
    setsockopt(socket, sockopt::TcpUserTimeout, &limit)?;
    setsockopt(socket, sockopt::KeepAlive, &true)?;
    setsockopt(socket, sockopt::TcpKeepIdle, &ASKED_AFTER_S)?;
    setsockopt(socket, sockopt::TcpKeepInterval, &ASKED_EVERY_S)?;
    Ok(())
}

/// An encrypted connection to another node, for one purpose.
pub struct Stream {
    tls: TlsStream<TcpStream>,
    held: Held,
}

impl Stream {
    pub(super) fn new(tls: TlsStream<TcpStream>, held: Held) -> Stream {
        Stream { tls, held }
    }

    /// Which node is at the other end.
    pub fn peer(&self) -> NodeId {
        self.held.peer
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("peer", &self.peer())
            .finish_non_exhaustive()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(context, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(context)
    }
}

/// A connection on its way to the links' library; its label says there which one it is.
pub(super) struct Handed {
    pub label: String,
    pub tls: TlsStream<TcpStream>,
}

impl ClusterBidiStream for Handed {
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite) {
        let (read, write) = tokio::io::split(self.tls);
        (Box::new(read), Box::new(write))
    }

    fn peer_label(&self) -> Option<String> {
        Some(self.label.clone())
    }
}

/// All connections that are open, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    next: u64,
    is_closed: bool,
    lines: BTreeMap<u64, (NodeId, Arc<std::net::TcpStream>)>,
}

impl Connections {
    /// Holds a connection until what it gives is dropped.
    pub fn hold(&self, peer: NodeId, socket: &TcpStream) -> io::Result<Held> {
        let line = std::net::TcpStream::from(socket.as_fd().try_clone_to_owned()?);
        let line = Arc::new(line);
        let mut open = self.open();
        if open.is_closed {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        open.next += 1;
        let number = open.next;
        open.lines.insert(number, (peer, Arc::clone(&line)));
        Ok(Held {
            connections: self.clone(),
            number,
            peer,
            line,
        })
    }

    /// Ends all connections with a node.
    pub fn cut(&self, peer: NodeId) {
        for (_, line) in self.open().lines.values().filter(|(of, _)| *of == peer) {
            shut(line);
        }
    }

    /// Ends all connections, and lets none be held any more.
    pub fn close(&self) {
        let mut open = self.open();
        open.is_closed = true;
        open.lines.values().for_each(|(_, line)| shut(line));
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that can be ended from outside.
#[derive(Debug)]
pub(super) struct Held {
    connections: Connections,
    number: u64,
    peer: NodeId,
    line: Arc<std::net::TcpStream>,
}

impl Held {
    /// Ends the connection.
    pub fn cut(&self) {
        shut(&self.line);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connections.open().lines.remove(&self.number);
    }
}

fn shut(line: &std::net::TcpStream) {
    // It fails only when the other end has ended it already.
    drop(line.shutdown(Shutdown::Both));
}
