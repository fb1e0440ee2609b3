//! What a node that measures with a stub agent knows of its agents' folders: there are none.

use futures_util::future::BoxFuture;
use runtime::spool::{AttemptName, AttemptWatch, Spool, SpoolWatcher};
use runtime::workshop::Bench;

use crate::admin::Here;
use crate::admin::wire::Trouble;

/// No folders.
pub struct NoSpools;

impl Here for NoSpools {
    fn spool<'a>(&'a self, _bench: &'a Bench) -> BoxFuture<'a, Option<Spool>> {
        Box::pin(async { None })
    }

    fn watch(&self, spool: &Spool, attempt: &AttemptName) -> AttemptWatch {
        SpoolWatcher::new().attempt(spool, attempt)
    }

    fn troubles(&self) -> Vec<Trouble> {
        Vec::new()
    }
}
