//! A partition without an end: each node hears its two neighbours, and nobody has a majority that
//! hears one another.

use super::filter::{self, Change};
use crate::cluster::Cluster;

/// In a smaller ring all are neighbours.
const SMALLEST: usize = 4;

pub(super) fn put_on(cluster: &mut Cluster) -> Option<()> {
    (cluster.size() >= SMALLEST).then(|| change(cluster, Change::Add))
}

pub(super) fn take_off(cluster: &mut Cluster) {
    change(cluster, Change::Remove);
}

fn change(cluster: &Cluster, how: Change) {
    let size = cluster.size();
    for from in 1..=size {
        for to in filter::others(cluster, from) {
            let apart = from.abs_diff(to);
            if apart != 1 && apart != size - 1 {
                filter::cut(cluster, from, to, how);
            }
        }
    }
}
