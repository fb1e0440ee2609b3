//! The engine of all nodes' agents is killed; its containers go on.

use crate::DockerEngine;
use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster) -> Option<()> {
    cluster.engine().map(DockerEngine::kill)
}

pub(super) fn take_off(cluster: &mut Cluster) {
    if let Some(engine) = cluster.engine() {
        engine.start_again();
    }
}
