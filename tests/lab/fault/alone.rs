//! A symmetric partition: the node on one side, all others on the other.

use super::filter::{self, Change};
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    change(cluster, node, Change::Add);
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    change(cluster, node, Change::Remove);
}

fn change(cluster: &Cluster, node: usize, how: Change) {
    for other in filter::others(cluster, node) {
        filter::cut(cluster, other, node, how);
        filter::cut(cluster, node, other, how);
    }
}
