//! Packets that a host drops as they come in.
//!
//! # Why
//! Dropped where they arrive: the sender cannot tell, as with a cable that is cut.

use crate::cluster::Cluster;

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
    let verb = match how {
        Change::Add => "--append",
        Change::Remove => "--delete",
    };
    let mut words = vec!["iptables", "--wait", verb, "INPUT"];
    words.extend(fits.split(' '));
    words.extend(["--jump", "DROP"]);
    cluster.host(node).run(&words);
}
