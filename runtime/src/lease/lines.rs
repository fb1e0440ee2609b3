//! What leases need of the connections between nodes.
//!
//! # Why
//! A trait, so that a test can put pipes in its place that it cuts, delays and freezes.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;

use rules::id::NodeId;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::clock::BootMs;
use crate::links::{Linked, Purpose};

/// A connection for a lease.
pub trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// A connection that is being made.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Line>>> + Send + 'a>>;

/// How the link with a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whether it carries calls.
    pub is_up: bool,
    /// Since when that is so.
    pub since: BootMs,
}

/// The connections of a node.
pub trait Lines: fmt::Debug + Send + Sync + 'static {
    /// Opens a connection to a node; takes some seconds at most.
    fn connect(&self, to: NodeId) -> Connecting<'_>;

    /// How the link with a node does; none where there is none to speak of.
    fn link(&self, with: NodeId) -> Option<Link>;
}

/// The connections of a node that has none: the cluster of one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLines;

impl Lines for NoLines {
    fn connect(&self, _: NodeId) -> Connecting<'_> {
        Box::pin(async { Err(io::ErrorKind::NotConnected.into()) })
    }

    fn link(&self, _: NodeId) -> Option<Link> {
        None
    }
}

impl Lines for Linked {
    fn connect(&self, to: NodeId) -> Connecting<'_> {
        Box::pin(async move {
            let stream = Linked::connect(self, to, Purpose::Lease).await?;
            Ok(Box::new(stream) as Box<dyn Line>)
        })
    }

    fn link(&self, with: NodeId) -> Option<Link> {
        let status = self.status();
        let status = status.borrow();
        status.get(&with).map(|status| Link {
            is_up: status.is_up,
            since: status.since,
        })
    }
}
