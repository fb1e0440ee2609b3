//! A one-way partition: the node is heard by nobody, and hears.

use super::filter::{self, Change};
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    for other in filter::others(cluster, node) {
        filter::cut(cluster, node, other, Change::Add);
    }
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    for other in filter::others(cluster, node) {
        filter::cut(cluster, node, other, Change::Remove);
    }
}
