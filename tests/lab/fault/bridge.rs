//! A partition with a bridge: the node hears all, and the others hear only it.

use super::filter::{self, Change};
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    change(cluster, node, Change::Add);
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    change(cluster, node, Change::Remove);
}

fn change(cluster: &Cluster, bridge: usize, how: Change) {
    let banks = filter::others(cluster, bridge);
    for from in &banks {
        for to in banks.iter().filter(|to| *to != from) {
            filter::cut(cluster, *from, *to, how);
        }
    }
}
