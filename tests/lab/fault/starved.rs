//! The daemon gets a twentieth of a core: on a host that others use up, or in a container with too
//! small a share.

use std::fs;
use std::path::PathBuf;

use crate::cluster::Cluster;

/// Where the kernel shares out processor time; absent where it does that in its newer way.
const SHARES: &str = "/sys/fs/cgroup/cpu";
/// Of a period of 100 ms, so much.
const QUOTA_US: &str = "5000";

pub(super) fn put_on(cluster: &mut Cluster, node: usize) -> Option<()> {
    let group = group(node);
    fs::create_dir_all(&group).ok()?;
    fs::write(group.join("cpu.cfs_quota_us"), QUOTA_US).ok()?;
    let pid = cluster.node(node).pid().to_string();
    fs::write(group.join("cgroup.procs"), pid).ok()
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    if cluster.node_mut(node).is_running() {
        let pid = cluster.node(node).pid().to_string();
        fs::write(PathBuf::from(SHARES).join("cgroup.procs"), pid).ok();
    }
    // What it has started meanwhile may be in it still, and is starved no more.
    fs::write(group(node).join("cpu.cfs_quota_us"), "-1").ok();
    fs::remove_dir(group(node)).ok();
}

/// Of this test's own.
fn group(node: usize) -> PathBuf {
    PathBuf::from(SHARES).join(format!("domo-lab-{}-{node}", std::process::id()))
}
