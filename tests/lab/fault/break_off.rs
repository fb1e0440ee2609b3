//! Clients break off: in the middle of what they say, or when they have said it and wait.

use crate::cluster::Cluster;

pub(super) fn put_on(cluster: &mut Cluster) {
    cluster.have_clients_break_off(true);
}

pub(super) fn take_off(cluster: &mut Cluster) {
    cluster.have_clients_break_off(false);
}
