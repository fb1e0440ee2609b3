//! The node's clock is an hour off: it signs, stamps and says of times what is not so.

use serde_json::json;

use super::door;
use crate::cluster::Cluster;

/// Of safety nothing may depend on it; of certificates and tokens an hour is far from their ends.
const HOUR_S: i32 = 3600;

pub(super) fn ahead(cluster: &mut Cluster, node: usize) -> Option<()> {
    set(cluster, node, HOUR_S)
}

pub(super) fn behind(cluster: &mut Cluster, node: usize) -> Option<()> {
    set(cluster, node, -HOUR_S)
}

/// Unheard it is made good at the end.
pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    set(cluster, node, 0);
}

pub(super) fn make_good(cluster: &mut Cluster, node: usize) {
    door::insist("the node's clock is right", || set(cluster, node, 0));
}

fn set(cluster: &Cluster, node: usize, ahead_s: i32) -> Option<()> {
    let body = json!({ "ahead_s": ahead_s }).to_string();
    door::tell(cluster, node, "/v1/chaos/clock", &body)
}
