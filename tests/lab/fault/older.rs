//! The node goes back to the daemon of the commit before, and is upgraded again at the end.

use std::env;
use std::path::PathBuf;

use super::end;
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster, node: usize) -> Option<()> {
    let older = env::var_os("DOMO_TEST_PREVIOUS").map(PathBuf::from)?;
    cluster.node_mut(node).program = Some(older);
    restart(cluster, node);
    Some(())
}

pub(super) fn take_off(cluster: &mut Cluster, node: usize) {
    cluster.node_mut(node).program = None;
    restart(cluster, node);
}

fn restart(cluster: &mut Cluster, node: usize) {
    // An older daemon that does not know the cluster's rules has ended by itself.
    end::take_off(cluster, node);
}
