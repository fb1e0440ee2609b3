//! What comes to the node and goes from it is a while on its way, and not always as long.
//!
//! # Why
//! The reference machine's kernel delays no packets: connections are led through a program that does.
//! Those that there are when it begins are reset, and made anew through it.

use std::process::{Child, Stdio};

use super::filter::{self, Change};
use crate::cluster::{Cluster, PORT};
use crate::programs::agent_path;

/// Programs in the middle, until they are dropped.
#[derive(Debug)]
pub(super) struct Lines(Vec<Child>);

impl Drop for Lines {
    fn drop(&mut self) {
        for line in &mut self.0 {
            // One that is gone carries nothing either.
            line.kill().ok();
            line.wait().ok();
        }
    }
}

pub(super) fn put_on(cluster: &mut Cluster, node: usize) -> Lines {
    let start = |to: usize| {
        let host = cluster.host(to);
        let mut command = host.command(&agent_path());
        command.arg("--late").arg(format!("0.0.0.0:{}", port(node)));
        command.arg(format!("{}:{PORT}", host.address()));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null());
        command.spawn().expect("the agent program is there")
    };
    let lines = Lines((1..=cluster.size()).map(start).collect());
    lead(cluster, node, Change::Add);
    lines
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    lead(cluster, node, Change::Remove);
}

/// A line of each node's own: two may be late at the same time.
fn port(node: usize) -> u16 {
    PORT + u16::try_from(node).expect("a cluster has few nodes")
}

fn lead(cluster: &Cluster, node: usize, how: Change) {
    filter::redirect(cluster, node, "", port(node), how);
    let from = format!("--source {} ", cluster.host(node).address());
    for other in filter::others(cluster, node) {
        filter::redirect(cluster, other, &from, port(node), how);
    }
}
