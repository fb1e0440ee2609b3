//! The library that the links are built on: started once in a process, and watched.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ractor::{Actor, ActorRef};
use ractor_cluster::node::NodeConnectionMode;
use ractor_cluster::{IncomingEncryptionMode, NodeServer, NodeServerMessage};
use tokio::task::JoinHandle;

use super::shared::Shared;
use super::{LinkError, LinkOptions, broken, tls};

/// The library's frames: a call at its largest, and what stands around it.
const MAX_FRAME_BYTES: u64 = 2 * 1024 * 1024;
/// There is one in the process.
static IS_OPEN: AtomicBool = AtomicBool::new(false);

/// Starts the library. Its own listener stands on a port of the loopback and lets nobody in.
pub(super) async fn start(
    options: &LinkOptions,
) -> Result<(ActorRef<NodeServerMessage>, JoinHandle<()>), LinkError> {
    let server = NodeServer::new(
        0,
        options.keys.cookie().to_owned(),
        // The start in the name: a peer tells a redial from a rival.
        format!("node-{}.{}", options.node.0, options.incarnation),
        // Of this node alone: the library takes two nodes with one host and port for one.
        format!("node-{}", options.node.0),
        Some(IncomingEncryptionMode::Tls(
            tls::closed_door().map_err(broken)?,
        )),
        Some(NodeConnectionMode::Isolated),
    );
    let server = server
        .with_listen_addr(IpAddr::V4(Ipv4Addr::LOCALHOST))
        .with_max_inbound_frame_size(MAX_FRAME_BYTES);
    Actor::spawn(None, server, ()).await.map_err(broken)
}

/// Ends all links when one of the two actors that carry them ends by itself: better none than some
/// that nobody looks after.
pub(super) async fn watch_over(shared: Arc<Shared>, library: JoinHandle<()>, post: JoinHandle<()>) {
    tokio::select! {
        _ = library => {}
        _ = post => {}
    }
    if !*shared.closing.borrow() {
        tracing::error!("the links broke: start the node again");
        shared.close();
    }
}

/// The right to have links in this process.
#[derive(Debug)]
pub(super) struct Only;

impl Only {
    pub fn take() -> Result<Only, LinkError> {
        if IS_OPEN.swap(true, Ordering::SeqCst) {
            return Err(LinkError::AlreadyOpen);
        }
        Ok(Only)
    }
}

impl Drop for Only {
    fn drop(&mut self) {
        IS_OPEN.store(false, Ordering::SeqCst);
    }
}
