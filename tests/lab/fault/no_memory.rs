//! The daemon has hardly any memory that it does not have already: on a host that others fill, or in
//! a container with too low a limit. The kernel may kill it then.

use std::fs;
use std::path::PathBuf;

use crate::cluster::Cluster;

/// Where the kernel counts memory; absent where it does that in its newer way.
const MEMORY: &str = "/sys/fs/cgroup/memory";
/// What it gets more: a moment's work.
const MORE_BYTES: &str = "1048576";

pub(super) fn put_on(cluster: &mut Cluster, node: usize) -> Option<()> {
    let group = group(node);
    fs::create_dir_all(&group).ok()?;
    fs::write(group.join("memory.limit_in_bytes"), MORE_BYTES).ok()?;
    let pid = cluster.node(node).pid().to_string();
    fs::write(group.join("cgroup.procs"), pid).ok()
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    // What it has started meanwhile may be in it still, and has memory again.
    fs::write(group(node).join("memory.limit_in_bytes"), "-1").ok();
    if cluster.node_mut(node).is_running() {
        let pid = cluster.node(node).pid().to_string();
        fs::write(PathBuf::from(MEMORY).join("cgroup.procs"), pid).ok();
    }
    fs::remove_dir(group(node)).ok();
    cluster.node_mut(node).spawn_if_ended();
}

/// Of this test's own.
fn group(node: usize) -> PathBuf {
    PathBuf::from(MEMORY).join(format!("domo-lab-{}-{node}", std::process::id()))
}
