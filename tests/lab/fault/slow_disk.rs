//! Each sync of the disk takes 200 ms longer, as on a disk that is busy or about to die.

use super::tracer::Tracer;
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) -> Option<Tracer> {
    Tracer::attach(cluster.node(node).pid(), "delay_enter=200000")
}
