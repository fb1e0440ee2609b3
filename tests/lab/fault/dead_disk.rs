//! The disk syncs nothing any more and says so: EIO.

use super::tracer::Tracer;
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) -> Option<Tracer> {
    Tracer::attach(cluster.node(node).pid(), "error=EIO")
}
