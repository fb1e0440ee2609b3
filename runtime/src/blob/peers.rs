//! Blobs on several nodes: where they are brought before an entry names them, and fetched from.
//!
//! # Invariant
//! A blob that an entry names is on the disks of a majority of the voters before that entry is
//! proposed: what is acknowledged is not lost with one host.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use rules::id::{BlobRef, NodeId};

use super::{BlobError, Blobs};

/// Something done with other nodes.
pub type Carrying<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The blobs of other nodes.
pub trait Peers: fmt::Debug + Send + Sync + 'static {
    /// Brings a blob that is here to a node; returns when it is on that node's disk.
    fn put(&self, to: NodeId, blob: BlobRef) -> Carrying<'_, Result<(), String>>;

    /// Fetches a blob from whichever node has it; says whether it is here now.
    fn fetch(&self, blob: BlobRef) -> Carrying<'_, bool>;
}

/// The other nodes, once there are any.
#[derive(Debug, Default)]
pub(super) struct Others(OnceLock<(NodeId, Box<dyn Peers>)>);

impl Blobs {
    /// Says who this node is and how others are reached; once, at the start.
    pub fn join(&self, node: NodeId, peers: Box<dyn Peers>) {
        let joined = self.0.others.0.set((node, peers));
        debug_assert!(joined.is_ok(), "a node joins once");
    }

    /// Makes sure that a blob is here, from another node if need be.
    pub async fn bring(&self, blob: &BlobRef) -> Result<(), BlobError> {
        if self.has(blob) {
            return Ok(());
        }
        match self.0.others.0.get() {
            Some((_, peers)) if peers.fetch(*blob).await => Ok(()),
            Some(_) | None => Err(BlobError::Absent(*blob)),
        }
    }

    /// Brings blobs to a majority of the voters, or says why it cannot.
    pub async fn spread(
        &self,
        blobs: Vec<BlobRef>,
        voters: &BTreeSet<NodeId>,
    ) -> Result<(), String> {
        let Some((node, peers)) = self.0.others.0.get() else {
            return Ok(());
        };
        let blobs: BTreeSet<BlobRef> = blobs.into_iter().collect();
        for blob in blobs {
            self.bring(&blob).await.map_err(|error| error.to_string())?;
            spread_one(peers.as_ref(), *node, blob, voters).await?;
        }
        Ok(())
    }
}

/// All voters are asked at once; the slowest are not waited for.
async fn spread_one(
    peers: &dyn Peers,
    node: NodeId,
    blob: BlobRef,
    voters: &BTreeSet<NodeId>,
) -> Result<(), String> {
    use futures_util::stream::{FuturesUnordered, StreamExt as _};

    let wanted = voters.len() / 2 + 1;
    let mut kept = usize::from(voters.contains(&node));
    let mut puts: FuturesUnordered<_> = voters
        .iter()
        .filter(|voter| **voter != node)
        .map(|voter| peers.put(*voter, blob))
        .collect();
    let mut last = "there is no voter".to_owned();
    while kept < wanted {
        match puts.next().await {
            Some(Ok(())) => kept += 1,
            Some(Err(why)) => last = why,
            None => {
                return Err(format!(
                    "blob {blob} is on {kept} of {} voters: {last}",
                    voters.len()
                ));
            }
        }
    }
    Ok(())
}
