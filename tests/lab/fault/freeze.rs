//! All threads of the daemon stand still, as in a suspended virtual machine.

use nix::sys::signal::Signal;

use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    cluster.node(node).signal(Signal::SIGSTOP);
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    // It may have been killed meanwhile.
    if cluster.node_mut(node).is_running() {
        cluster.node(node).signal(Signal::SIGCONT);
    }
}
