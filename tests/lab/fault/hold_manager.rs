//! The Manager is held dead, whichever node leads.

use serde_json::json;

use super::door;
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster) {
    hold(cluster, true);
}

/// A node that does not hear it now holds him until it is told again, or started anew.
pub(super) fn take_off(cluster: &mut Cluster) {
    hold(cluster, false);
}

fn hold(cluster: &Cluster, is_held: bool) {
    let body = json!({"is_held": is_held}).to_string();
    for number in 1..=cluster.size() {
        door::ask(cluster, number, "POST", "/v1/chaos/manager", &body);
    }
}
