//! The daemon may open no more files: not one connection more, and none of its disk's.

use std::fs;
use std::process::{Command, Stdio};

use super::Held;
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) -> Option<String> {
    let pid = cluster.node(node).pid();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let mut words = line.split_whitespace();
    let (soft, hard) = (words.next()?, words.next()?);
    limit(pid, &format!("8:{hard}"));
    Some(format!("{soft}:{hard}"))
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize, held: &Held) {
    // A new daemon has its own limit.
    if let Held::Files(before) = held
        && cluster.node_mut(node).is_running()
    {
        limit(cluster.node(node).pid(), before);
    }
}

fn limit(pid: i32, files: &str) {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &pid.to_string(), &format!("--nofile={files}")]);
    command.stderr(Stdio::null());
    // A daemon that is gone has no limits.
    command.status().ok();
}
