//! What only this node knows: the folders of its agents, and what troubles it.
//!
//! # Why
//! Progress and logs are local and may be lost: they are read where they lie, and never pass the
//! ledger. A test puts folders of its own in this place.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rules::id::AttemptId;
use runtime::spool::{AttemptName, AttemptWatch, Spool, SpoolWatcher};
use runtime::workshop::Bench;
use runtime::workshop::boxes::{Boxes, spool_name};

use super::wire::Trouble;

/// What only this node knows.
pub trait Here: Send + Sync + 'static {
    /// The folders of a worker's container; none when it has none here.
    fn spool<'a>(&'a self, bench: &'a Bench) -> BoxFuture<'a, Option<Spool>>;

    /// Waits for changes in an attempt's folders.
    fn watch(&self, spool: &Spool, attempt: &AttemptName) -> AttemptWatch;

    /// What ended attempts have left here, as it was counted last.
    fn left_bytes(&self) -> u64 {
        0
    }

    /// What does not go as it should outside of the ledger: the engine, the disk. At most a few.
    fn troubles(&self) -> Vec<Trouble>;
}

/// The agents of this node's boxes.
pub struct InBoxes {
    boxes: Arc<Boxes>,
    watcher: SpoolWatcher,
    troubles: Box<dyn Fn() -> Vec<Trouble> + Send + Sync>,
}

impl InBoxes {
    /// The agents of these boxes; `troubles` is asked at each look at the status. Inside a tokio
    /// runtime.
    pub fn new(
        boxes: Arc<Boxes>,
        troubles: impl Fn() -> Vec<Trouble> + Send + Sync + 'static,
    ) -> Self {
        Self {
            boxes,
            watcher: SpoolWatcher::new(),
            troubles: Box::new(troubles),
        }
    }
}

impl Here for InBoxes {
    fn spool<'a>(&'a self, bench: &'a Bench) -> BoxFuture<'a, Option<Spool>> {
        Box::pin(async move {
            let found = self.boxes.spool_of(bench).await;
            found.unwrap_or_else(|why| {
                tracing::debug!(%why, "the folders of a container cannot be found now");
                None
            })
        })
    }

    fn watch(&self, spool: &Spool, attempt: &AttemptName) -> AttemptWatch {
        self.watcher.attempt(spool, attempt)
    }

    fn left_bytes(&self) -> u64 {
        self.boxes.left_bytes()
    }

    fn troubles(&self) -> Vec<Trouble> {
        (self.troubles)()
    }
}

/// The name of an attempt's folders.
pub(super) fn folder(attempt: AttemptId) -> Option<AttemptName> {
    spool_name(attempt).ok()
}
