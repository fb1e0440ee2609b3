//! Packets that a host drops as they come in.
//!
//! # Why
//! Dropped where they arrive: the sender cannot tell, as with a cable that is cut.

use crate::cluster::{Cluster, PORT};

/// Connections that come over the host's cable.
const FROM_ELSEWHERE: &str = "--in-interface eth0 --protocol tcp";
/// The answer of a host that knows of no such connection.
const RESET: &str = "REJECT --reject-with tcp-reset";

/// Whether a rule is added or taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Remove,
}

/// All nodes but this one.
pub(super) fn others(cluster: &Cluster, node: usize) -> Vec<usize> {
    (1..=cluster.size())
        .filter(|other| *other != node)
        .collect()
}

/// Nothing that `from` sends arrives at `to`, or it does again.
pub(super) fn cut(cluster: &Cluster, from: usize, to: usize, how: Change) {
    let from = cluster.host(from).address();
    rule(cluster, to, &format!("--source {from}"), how);
}

/// A node drops what fits to this, or does so no more.
pub(super) fn rule(cluster: &Cluster, node: usize, fits: &str, how: Change) {
    change(
        cluster,
        node,
        "filter INPUT",
        &format!("{fits} --jump DROP"),
        how,
    );
}

/// A node's host resets every connection from elsewhere, or does so no more.
pub(super) fn reset(cluster: &Cluster, node: usize, how: Change) {
    let rule = format!("{FROM_ELSEWHERE} --jump {RESET}");
    change(cluster, node, "filter INPUT", &rule, how);
}

/// New connections to a node's daemon that fit to this go to another port of its host, and those that
/// there are are reset; or no more.
pub(super) fn redirect(cluster: &Cluster, node: usize, fits: &str, port: u16, how: Change) {
    let fits = format!("{fits}{FROM_ELSEWHERE} --destination-port {PORT}");
    let lead = format!("{fits} --jump REDIRECT --to-ports {port}");
    change(cluster, node, "nat PREROUTING", &lead, how);
    let reset = format!("{fits} --jump {RESET}");
    change(cluster, node, "filter INPUT", &reset, how);
}

/// Adds a rule to a chain of a table on a node's host, or takes it away.
fn change(cluster: &Cluster, node: usize, chain: &str, rule: &str, how: Change) {
    let verb = match how {
        Change::Add => "--append",
        Change::Remove => "--delete",
    };
    let (table, chain) = chain.split_once(' ').expect("a table and its chain");
    let mut words = vec!["iptables", "--wait", "--table", table, verb, chain];
    words.extend(rule.split(' '));
    cluster.host(node).run(&words);
}
