//! The node's checkpoints of the record: its word for where the chain is, signed and kept.
//!
//! # Why
//! A node without a cluster has keys for this alone: nobody else vouches for them, but whoever rewrites
//! its records without them is found, and a copy of its checkpoints elsewhere binds it too.
//! Seldom while little happens and at each end of the daemon: between two of them only those records
//! can be rewritten unseen by this node's own word which the others' states do not cover.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::settings::Settings;
use rules::id::NodeId;
use runtime::audit::checkpoint::{self, Checkpoint};
use runtime::audit::retain::Keep;
use runtime::clock;
use runtime::ledger::Ledger;
use runtime::links::{ClusterName, Keys, KeysError};
use tokio::task::JoinHandle;

use super::DaemonError;
use super::identity::Identity;

/// How often a checkpoint is made while there is something new to sign.
const EVERY: Duration = Duration::from_mins(10);

/// The folder with the keys of a node that is in no cluster; nothing else is proved with them.
pub(crate) const OWN: &str = "notary";

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
    keys: Arc<Keys>,
    /// How long records stay; none where they stay for ever.
    keep: Option<Keep>,
}

impl Notary {
    /// Makes checkpoints for this node from now on, with the keys of its cluster or with its own.
    pub(super) fn begin(
        identity: &Identity,
        settings: &Settings,
        ledger: &Ledger,
        keys: Option<Arc<Keys>>,
    ) -> Result<Self, DaemonError> {
        let keys = match keys {
            Some(keys) => keys,
            None => Arc::new(own(identity, &settings.node.data.join(OWN), ledger)?),
        };
        ledger.audit().signed_by(keys.signers());
        let node = NodeId(identity.node);
        let audit = &settings.audit;
        let keep = audit.archive.as_ref().map(|archive| Keep {
            archive: archive.join(node.to_string()),
            age: Duration::from_millis(audit.keep_ms),
            bytes: audit.keep_bytes,
        });
        let desk = Desk {
            node,
            ledger: ledger.clone(),
            keys,
            keep,
        };
        let signing = desk.clone();
        let task = tokio::spawn(async move {
            let mut last = 0;
            loop {
                tokio::time::sleep(EVERY).await;
                last = signing.sign(last).await;
                signing.retain().await;
            }
        });
        Ok(Self { desk, task })
    }

    /// Makes the last one.
    pub(super) async fn end(self) {
        self.task.abort();
        self.desk.sign(0).await;
    }
}

impl Desk {
    /// Archives the files of records that are whole, and removes those that are kept no longer.
    async fn retain(&self) {
        let Some(keep) = self.keep.clone() else {
            return;
        };
        let desk = self.clone();
        let retained = tokio::task::spawn_blocking(move || {
            let now = clock::wall();
            let sign = |end| Checkpoint::new(desk.node, end, now, Some(&desk.keys));
            desk.ledger.audit().retain(&keep, now, sign)
        });
        match retained.await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(files)) => tracing::info!(files, "old records are only in the archive now"),
            Ok(Err(error)) => tracing::warn!("records are not archived for now: {error}"),
        }
    }

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
            if let Err(error) = desk.keys.renew_if_due() {
                tracing::warn!("the certificate for checkpoints is not renewed: {error}");
            }
            let checkpoint = Checkpoint::new(desk.node, end, clock::wall(), Some(&desk.keys));
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

/// The keys of a node that is in no cluster, made at its first start.
fn own(identity: &Identity, dir: &Path, ledger: &Ledger) -> Result<Keys, DaemonError> {
    match Keys::open(dir) {
        Err(KeysError::None(_)) => {
            // What was said before there was a key cannot be told from what somebody else wrote.
            let retired = checkpoint::retire(ledger.audit().dir());
            retired.map_err(DaemonError::Checkpoints)?;
            let cluster = ClusterName::new(&identity.cluster)?;
            Ok(Keys::found(dir, &cluster, NodeId(identity.node))?)
        }
        found => Ok(found?),
    }
}
