//! Speaking to a node that may be broken already: it is given little time, and may say nothing.

use std::time::Duration;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::http;

/// A node that lives answers within this, or the fault is not heard by it.
const LIMIT: Duration = Duration::from_millis(500);

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
