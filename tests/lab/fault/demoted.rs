//! The node may not vote: the quorum gets smaller in the middle of everything, and larger again.

use serde_json::json;

use super::door;
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) -> Option<()> {
    ask(cluster, node, "learner")
}

/// Unheard it is made good at the end.
pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    ask(cluster, node, cluster.voting_role());
}

pub(super) fn make_good(cluster: &mut Cluster, node: usize) {
    door::insist("the node votes", || {
        ask(cluster, node, cluster.voting_role())
    });
}

fn ask(cluster: &Cluster, node: usize, role: &str) -> Option<()> {
    let path = format!("/v1/nodes/n{node}/role");
    let body = json!({"role": role}).to_string();
    door::ask_any(cluster, &path, &body)
}
