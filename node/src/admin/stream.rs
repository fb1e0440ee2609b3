//! Long answers: one JSON object a line, made only as fast as the client takes them.
//!
//! # Invariant
//! A stream holds one place among the streams and one line under way. It ends when what it tells of
//! ends, when its client is gone or has the right to it no more, or when the daemon stops.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::standing::Standing;

/// Where the lines of a long answer come from.
pub(super) trait Source: Send + 'static {
    /// A line.
    type Line: Serialize + Send;

    /// Looks whether there is something new to say; says it by filling `ready`.
    fn look(&mut self, ready: &mut Ready<Self::Line>) -> impl Future<Output = ()> + Send;

    /// Waits until there may be something new, or says that nothing happened for a while.
    fn rest(&mut self, ready: &mut Ready<Self::Line>) -> impl Future<Output = ()> + Send;

    /// The last words when it ends before what it tells of.
    fn last_words(why: &str) -> Option<Self::Line>;
}

/// Lines that are ready to be sent, and whether they are the last ones.
pub(super) struct Ready<L> {
    lines: VecDeque<L>,
    is_over: bool,
}

impl<L> Ready<L> {
    pub(super) fn push(&mut self, line: L) {
        self.lines.push_back(line);
    }

    pub(super) fn extend(&mut self, lines: impl IntoIterator<Item = L>) {
        self.lines.extend(lines);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Nothing comes after the lines that are ready.
    pub(super) fn end(&mut self) {
        self.is_over = true;
    }
}

struct Flow<S: Source> {
    source: S,
    ready: Ready<S::Line>,
    stop: watch::Receiver<bool>,
    standing: Standing,
    _place: OwnedSemaphorePermit,
}

/// The answer that tells what `source` has to say.
pub(super) fn answer<S: Source>(
    source: S,
    place: OwnedSemaphorePermit,
    stop: watch::Receiver<bool>,
    standing: Standing,
) -> Response {
    let ready = Ready {
        lines: VecDeque::new(),
        is_over: false,
    };
    let flow = Flow {
        source,
        ready,
        stop,
        standing,
        _place: place,
    };
    let lines = stream::unfold(flow, |mut flow| async move {
        let line = flow.next().await?;
        // The lines are shapes of texts and numbers, which always have their JSON.
        let mut json = serde_json::to_vec(&line).unwrap_or_default();
        json.push(b'\n');
        Some((Ok::<_, Infallible>(Bytes::from(json)), flow))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (kind, Body::from_stream(lines)).into_response()
}

impl<S: Source> Flow<S> {
    async fn next(&mut self) -> Option<S::Line> {
        loop {
            if !self.ready.is_over
                && let Err(why) = self.standing.look_again()
            {
                // What is ready is not theirs to see any more.
                self.ready.lines.clear();
                self.end(&why);
            }
            if let Some(line) = self.ready.lines.pop_front() {
                return Some(line);
            }
            if self.ready.is_over {
                return None;
            }
            self.source.look(&mut self.ready).await;
            if !self.ready.lines.is_empty() || self.ready.is_over {
                continue;
            }
            let is_stopped = tokio::select! {
                () = self.source.rest(&mut self.ready) => false,
                () = self.standing.changed() => false,
                _ = self.stop.wait_for(|is_over| *is_over) => true,
            };
            if is_stopped {
                self.end("the daemon stops");
            }
        }
    }

    fn end(&mut self, why: &str) {
        self.ready.lines.extend(S::last_words(why));
        self.ready.end();
    }
}
