//! The engine of all nodes' agents stands still: it takes connections, and answers nobody.

use nix::sys::signal::Signal;

use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster) -> Option<()> {
    cluster
        .engine()
        .map(|engine| engine.signal(Signal::SIGSTOP))
}

pub(super) fn take_off(cluster: &mut Cluster) {
    if let Some(engine) = cluster.engine() {
        engine.signal(Signal::SIGCONT);
    }
}
