//! Speaking to a node that may be broken already: it is given little time, and may say nothing.

use std::time::Duration;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::http;
use crate::wait::wait_until;

/// A node that lives answers within this, or the fault is not heard by it.
const LIMIT: Duration = Duration::from_millis(500);
/// Healed nodes agree on a leader within seconds; with both cores busy it may take this long.
const INSIST_LIMIT: Duration = Duration::from_mins(1);

/// Asks a node of the cluster; none where it says nothing of use.
pub(super) fn ask(
    cluster: &Cluster,
    number: usize,
    method: &str,
    path: &str,
    body: &str,
) -> Option<Value> {
    let socket = cluster.node(number).socket();
    let reply = http::wish(&socket, (method, path), None, body, LIMIT).ok()?;
    serde_json::from_str(&reply.body).ok()
}

/// Posts something to a node; none unless it says that it is done.
pub(super) fn tell(cluster: &Cluster, number: usize, path: &str, body: &str) -> Option<()> {
    let socket = cluster.node(number).socket();
    let reply = http::wish(&socket, ("POST", path), None, body, LIMIT).ok()?;
    matches!(reply.status, 200 | 204).then_some(())
}

/// Posts something to whichever node says that it is done.
pub(super) fn ask_any(cluster: &Cluster, path: &str, body: &str) -> Option<()> {
    (1..=cluster.size()).find_map(|number| tell(cluster, number, path, body))
}

/// Says something until it is done: all nodes answer by now, and somebody is about to lead.
pub(super) fn insist(what: &str, ask: impl Fn() -> Option<()>) {
    wait_until(INSIST_LIMIT, what, || ask().ok_or("nobody does it"));
}
