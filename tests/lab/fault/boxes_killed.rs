//! Everything in the boxes of the node's agents is killed, as by the kernel when memory is short.

use crate::cluster::Cluster;
use crate::sweep;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    sweep::end(&cluster.node(node).boxes());
}
