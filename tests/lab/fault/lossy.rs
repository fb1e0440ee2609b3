//! One packet in ten that comes to the node is lost.

use super::filter::{self, Change};
use crate::cluster::Cluster;

const RULE: &str = "-m statistic --mode random --probability 0.1";

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    filter::rule(cluster, node, RULE, Change::Add);
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    filter::rule(cluster, node, RULE, Change::Remove);
}
