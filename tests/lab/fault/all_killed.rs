//! All daemons are killed at once, as by a power cut that the disks survive; their agents go on.

use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster) {
    for number in 1..=cluster.size() {
        let node = cluster.node_mut(number);
        if node.is_running() {
            node.kill();
        }
    }
}

pub(super) fn take_off(cluster: &mut Cluster) {
    for number in 1..=cluster.size() {
        cluster.node_mut(number).spawn_if_ended();
    }
}
