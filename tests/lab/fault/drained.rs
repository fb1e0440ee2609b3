//! Teams and workers are to leave the node, as before its maintenance.

use serde_json::json;

use super::door;
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) -> Option<()> {
    ask(cluster, node, true)
}

/// Unheard it is made good at the end.
pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    ask(cluster, node, false);
}

pub(super) fn make_good(cluster: &mut Cluster, node: usize) {
    door::insist("the node is used", || ask(cluster, node, false));
}

fn ask(cluster: &Cluster, node: usize, is_drained: bool) -> Option<()> {
    let path = format!("/v1/nodes/n{node}/drain");
    let body = json!({"is_drained": is_drained, "reason": "chaos"}).to_string();
    door::ask_any(cluster, &path, &body)
}
