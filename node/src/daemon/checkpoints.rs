//! The node's checkpoints of the record: its word for where the chain is, signed and kept.
//!
//! # Why
//! Seldom while little happens and at each end of the daemon: between two of them only those records
//! can be rewritten unseen by this node's own word which the others' states do not cover.

use std::sync::Arc;
use std::time::Duration;

use rules::id::NodeId;
use runtime::audit::checkpoint::{self, Checkpoint};
use runtime::clock;
use runtime::ledger::Ledger;
use runtime::links::Keys;
use tokio::task::JoinHandle;

/// How often a checkpoint is made while there is something new to sign.
const EVERY: Duration = Duration::from_mins(10);

/// What makes checkpoints.
pub(super) struct Notary {
    desk: Desk,
    task: JoinHandle<()>,
}

/// What a checkpoint is made of.
#[derive(Clone)]
struct Desk {
    node: NodeId,
    ledger: Ledger,
    keys: Option<Arc<Keys>>,
}

impl Notary {
    /// Makes checkpoints for this node from now on; without keys nothing is signed.
    pub(super) fn begin(node: NodeId, ledger: &Ledger, keys: Option<Arc<Keys>>) -> Self {
        if let Some(keys) = &keys {
            ledger.audit().signed_by(keys.signers());
        }
        let desk = Desk {
            node,
            ledger: ledger.clone(),
            keys,
        };
        let signing = desk.clone();
        let task = tokio::spawn(async move {
            let mut last = 0;
            loop {
                tokio::time::sleep(EVERY).await;
                last = signing.sign(last).await;
            }
        });
        Self { desk, task }
    }

    /// Makes the last one.
    pub(super) async fn end(self) {
        self.task.abort();
        self.desk.sign(0).await;
    }
}

impl Desk {
    /// Makes a checkpoint if there are records behind that one; says where the last one is.
    async fn sign(&self, last: u64) -> u64 {
        let end = self.ledger.read(|state| {
            let chain = &state.audit;
            (chain.count, chain.index, chain.head)
        });
        if end.0 <= last {
            return last;
        }
        let (desk, audit) = (self.clone(), Arc::clone(self.ledger.audit()));
        let signed = tokio::task::spawn_blocking(move || {
            audit.sync()?;
            let keys = desk.keys.as_deref();
            let checkpoint = Checkpoint::new(desk.node, end, clock::wall(), keys);
            checkpoint::add(audit.dir(), &checkpoint)
        });
        match signed.await {
            Ok(Ok(())) => end.0,
            Ok(Err(error)) => {
                tracing::warn!("no checkpoint of the record for now: {error}");
                last
            }
            Err(_) => last,
        }
    }
}
