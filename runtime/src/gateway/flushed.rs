//! A line to an agent that tells when all that was answered has left this process.
//!
//! # Why
//! That an agent was answered is noted only then: a daemon that dies in between must take the same
//! question for the same one. What is in the agent's own socket, it reads without the daemon.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

use super::ordinals::Place;

/// Answers that were handed on and have not left yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Flush(Arc<Mutex<Vec<Place>>>);

impl Flush {
    /// The whole answer to this request was handed on.
    pub(super) fn handed_on(&self, place: Place) {
        self.with(|places| places.push(place));
    }

    fn all_has_left(&self) {
        let left = self.with(std::mem::take);
        left.into_iter().for_each(Place::answered);
    }

    fn with<R>(&self, change: impl FnOnce(&mut Vec<Place>) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The line.
#[derive(Debug)]
pub(super) struct Flushed {
    stream: UnixStream,
    flush: Flush,
}

impl Flushed {
    /// A line, and where answers are noted that were handed to it.
    pub(super) fn new(stream: UnixStream) -> (Self, Flush) {
        let flush = Flush::default();
        let line = Self {
            stream,
            flush: flush.clone(),
        };
        (line, flush)
    }
}

impl AsyncRead for Flushed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Flushed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    /// The server flushes once its own buffer is empty.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.flush.all_has_left();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
