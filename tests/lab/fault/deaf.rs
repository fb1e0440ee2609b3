//! A one-way partition: the node hears nobody, and is heard.

use super::filter::{self, Change};
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    for other in filter::others(cluster, node) {
        filter::cut(cluster, other, node, Change::Add);
    }
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    for other in filter::others(cluster, node) {
        filter::cut(cluster, other, node, Change::Remove);
    }
}
