//! What the node sends goes through a narrow link: much of it waits, and some of it is dropped.

use crate::cluster::Cluster;

const LINK: &str = "root tbf rate 256kbit burst 16kb latency 400ms";

pub(super) fn put_on(cluster: &mut Cluster, node: usize) {
    let words = ["tc", "qdisc", "add", "dev", "eth0"].into_iter();
    let words: Vec<&str> = words.chain(LINK.split(' ')).collect();
    cluster.host(node).run(&words);
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    let words = ["tc", "qdisc", "delete", "dev", "eth0", "root"];
    cluster.host(node).run(&words);
}
