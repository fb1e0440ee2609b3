//! The daemon is killed with nothing flushed; its agents go on.

use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    cluster.node_mut(node).kill();
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    cluster.node_mut(node).spawn_if_ended();
}
