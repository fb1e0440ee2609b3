//! The disk is full to its last piece. Only a node with a small disk of its own can have that.

use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) -> Option<()> {
    cluster.disk(node).map(crate::SmallDisk::fill)
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    if let Some(disk) = cluster.disk(node) {
        disk.empty();
    }
}
