//! Every connection that the node has or tries is reset, as by a middlebox that lost its memory.

use super::filter::{self, Change};
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    filter::reset(cluster, node, Change::Add);
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    filter::reset(cluster, node, Change::Remove);
}
