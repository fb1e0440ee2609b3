//! Claims as the scheduler sees them: which stop a pod everywhere, which on some nodes.

use crate::kube::Key;
use crate::kube::cluster::Cluster;
use crate::kube::node::{Node, ZONE_LABELS};
use crate::kube::pod::{ClaimUse, Pod};
use crate::kube::storage::{Claim, NO_PROVISIONER, StorageClass, Volume};

use super::refusal::{Obstacle, Refusal};

/// The key of a claim that a pod uses.
pub fn claim_key(pod: &Pod, used: &ClaimUse) -> Key {
    Key::new(&pod.key.namespace, &used.claim)
}

/// The class of a claim: named, or the default one.
pub fn class_of<'c>(cluster: &'c Cluster, claim: &Claim) -> Option<&'c StorageClass> {
    match claim.class.as_deref() {
        Some("") => None,
        Some(name) => cluster.classes.get(name),
        None => cluster.classes.values().find(|c| c.is_default),
    }
}

/// Does the claim wait for its first pod, as its class says?
pub fn waits_for_consumer(cluster: &Cluster, claim: &Claim) -> bool {
    class_of(cluster, claim).is_some_and(|c| c.waits_for_consumer)
}

/// The claims of a pod that are not there, lost, being deleted, or should be bound and are not.
pub fn stopping_claims(cluster: &Cluster, pod: &Pod) -> Vec<Key> {
    let stops = |key: &Key| match cluster.claims.get(key) {
        None => cluster.has_recorded("PersistentVolumeClaim"),
        Some(claim) => {
            claim.deleted.is_some()
                || (!claim.is_bound() && !waits_for_consumer(cluster, claim))
                || names_a_volume_in_vain(cluster, claim)
        }
    };
    pod.claims
        .iter()
        .map(|used| claim_key(pod, used))
        .filter(stops)
        .collect()
}

/// An unbound claim that insists on one volume is never given another.
fn names_a_volume_in_vain(cluster: &Cluster, claim: &Claim) -> bool {
    !claim.is_bound()
        && claim
            .volume
            .as_ref()
            .is_some_and(|name| match cluster.volumes.get(name) {
                None => cluster.has_recorded("PersistentVolume"),
                Some(volume) => mismatch(volume, claim).is_some(),
            })
}

/// Why the volume cannot be given to the claim; none when it can.
pub fn mismatch(volume: &Volume, claim: &Claim) -> Option<String> {
    let promised = volume.claim.as_ref();
    if promised.is_some_and(|c| *c != claim.key) || volume.phase == "Released" {
        let owner = promised.map_or_else(|| "an earlier claim".to_owned(), Key::to_string);
        return Some(format!(
            "it is {} and belongs to {owner}",
            volume.phase.to_lowercase()
        ));
    }
    if volume.phase == "Failed" {
        return Some(format!("it failed: {}", volume.message));
    }
    let class = claim.class.as_deref().unwrap_or_default();
    if volume.class != class {
        let named = |c: &str| {
            if c.is_empty() {
                "no class".to_owned()
            } else {
                format!("class {c}")
            }
        };
        return Some(format!(
            "it has {}, the claim wants {}",
            named(&volume.class),
            named(class)
        ));
    }
    if volume.size < claim.size {
        return Some(format!(
            "it has {}, the claim wants {}",
            volume.size.shown("storage"),
            claim.size.shown("storage")
        ));
    }
    if let Some(missing) = claim
        .access_modes
        .iter()
        .find(|m| !volume.access_modes.contains(m))
    {
        return Some(format!(
            "it offers {}, the claim wants {missing}",
            crate::phrase::names(&volume.access_modes, 4)
        ));
    }
    if volume.mode != claim.mode {
        return Some(format!(
            "it is a {} volume, the claim wants {}",
            volume.mode, claim.mode
        ));
    }
    if let Some(selector) = claim
        .selector
        .as_ref()
        .filter(|s| !s.selects(&volume.labels))
    {
        return Some(format!("its labels do not match {}", selector.shown()));
    }
    if claim
        .volume
        .as_ref()
        .is_some_and(|name| *name != volume.name)
    {
        return Some("the claim insists on another volume".to_owned());
    }
    None
}

/// What keeps the pod's volumes from one node.
pub fn on_node(cluster: &Cluster, pod: &Pod, node: &Node, refusals: &mut Vec<Refusal>) {
    for used in &pod.claims {
        let Some(claim) = cluster.claims.get(&claim_key(pod, used)) else {
            continue;
        };
        if claim.is_bound() {
            bound_on_node(cluster, claim, node, refusals);
        } else if let Some(class) = class_of(cluster, claim).filter(|c| c.waits_for_consumer) {
            unbound_on_node(cluster, claim, class, node, refusals);
        }
        let alone = claim.access_modes.iter().any(|m| m == "ReadWriteOncePod");
        if let Some(other) = other_user(cluster, pod, &used.claim).filter(|_| alone) {
            let label = "node(s) had a pod that uses a ReadWriteOncePod claim already";
            let detail = format!(
                "{} uses the ReadWriteOncePod claim {}",
                other.key, claim.key
            );
            refusals.push(Refusal::new(Obstacle::Volume, label, detail));
        }
    }
}

/// Another pod that uses the same claim and is on a node.
pub fn other_user<'c>(cluster: &'c Cluster, pod: &Pod, claim: &str) -> Option<&'c Pod> {
    cluster.pods.values().find(|other| {
        other.key != pod.key
            && other.key.namespace == pod.key.namespace
            && other.node.is_some()
            && !other.is_over()
            && other.claims.iter().any(|c| c.claim == claim)
    })
}

fn bound_on_node(cluster: &Cluster, claim: &Claim, node: &Node, refusals: &mut Vec<Refusal>) {
    let Some(volume) = claim.volume.as_ref().and_then(|v| cluster.volumes.get(v)) else {
        return;
    };
    if let Some(rule) = &volume.nodes
        && !rule.is_met_by(&node.name, &node.labels)
    {
        let label = "node(s) had volume node affinity conflict";
        let detail = format!(
            "volume {} of claim {} is only reached from {}",
            volume.name,
            claim.key,
            rule.shown()
        );
        refusals.push(Refusal::new(Obstacle::Volume, label, detail));
        return;
    }
    let zones = ZONE_LABELS.iter().find_map(|l| volume.labels.get(*l));
    if let (Some(zones), Some(zone)) = (zones, node.zone())
        && !zones.split("__").any(|z| z == zone)
    {
        let label = "node(s) had no available volume zone";
        let detail = format!(
            "volume {} is in zone {zones}, the node in {zone}",
            volume.name
        );
        refusals.push(Refusal::new(Obstacle::Volume, label, detail));
    }
}

fn unbound_on_node(
    cluster: &Cluster,
    claim: &Claim,
    class: &StorageClass,
    node: &Node,
    refusals: &mut Vec<Refusal>,
) {
    let reachable = |v: &&Volume| {
        v.nodes
            .as_ref()
            .is_none_or(|rule| rule.is_met_by(&node.name, &node.labels))
    };
    let fitting = cluster
        .volumes
        .values()
        .filter(reachable)
        .any(|v| mismatch(v, claim).is_none());
    if fitting {
        return;
    }
    if class.provisioner == NO_PROVISIONER {
        let label = "node(s) didn't find available persistent volumes to bind";
        let detail = format!(
            "no free volume of class {} for claim {} can be reached from the node",
            class.name, claim.key
        );
        refusals.push(Refusal::new(Obstacle::Volume, label, detail));
    } else if !class.reaches(&node.labels) {
        let label = "node(s) did not have enough free storage";
        let detail = format!(
            "class {} makes no volumes for this node's topology",
            class.name
        );
        refusals.push(Refusal::new(Obstacle::Volume, label, detail));
    }
}
