//! The daemon is asked to end, as an upgrade does; its agents go on.

use nix::sys::signal::Signal;

use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    cluster.node(node).signal(Signal::SIGTERM);
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    let node = cluster.node_mut(node);
    // Killed and started again meanwhile, it was not asked yet.
    if node.is_running() {
        node.signal(Signal::SIGTERM);
    }
    node.wait_ended();
    node.spawn();
}
