//! The controllers above pods, and quotas: how many pods there should be.

use std::fmt;

use super::place::Place;
use super::pod::{Owner, Pod, owner};
use super::resources::Resources;
use super::{Condition, Key};

/// A workload by kind and name: what people mean when they name a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadId {
    /// Namespace and name.
    pub key: Key,
    /// `Deployment`, `StatefulSet`, `DaemonSet`, `Job`, `CronJob`, … or `Pod` for a pod of its own.
    pub kind: String,
}

impl fmt::Display for WorkloadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.key)
    }
}

/// A recorded controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Who it is.
    pub id: WorkloadId,
    /// The controller above it.
    pub owner: Option<Owner>,
    /// How many pods there should be, where the object says so.
    pub desired: Option<i64>,
    /// How many of them are ready.
    pub ready: i64,
    /// Is it told not to act?
    pub is_suspended: bool,
    /// Its conditions.
    pub conditions: Vec<Condition>,
}

/// The kinds that are read as workloads.
pub const WORKLOAD_KINDS: [&str; 8] = [
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ReplicationController",
    "Rollout",
];

impl Workload {
    /// Reads a controller of kind `kind`.
    pub fn read(kind: &str, object: Place<'_>) -> Self {
        let (meta, spec, status) = (
            object.at("metadata"),
            object.at("spec"),
            object.at("status"),
        );
        let key = Key {
            namespace: meta.at("namespace").string(),
            name: meta.at("name").string(),
        };
        let (desired, ready) = match kind {
            "DaemonSet" => (
                status.at("desiredNumberScheduled").whole(),
                status.at("numberReady").whole().unwrap_or(0),
            ),
            "Job" => (
                spec.at("completions").whole().or(Some(1)),
                status.at("succeeded").whole().unwrap_or(0),
            ),
            "CronJob" => (None, 0),
            _ => (
                spec.at("replicas").whole().or(Some(1)),
                status.at("readyReplicas").whole().unwrap_or(0),
            ),
        };
        Self {
            id: WorkloadId {
                key,
                kind: kind.to_owned(),
            },
            owner: owner(meta),
            desired,
            ready,
            is_suspended: spec.at("paused").flag() || spec.at("suspend").flag(),
            conditions: Condition::list(object),
        }
    }
}

/// A limit on what a namespace may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Namespace and name.
    pub key: Key,
    /// What is allowed.
    pub hard: Resources,
    /// What is taken.
    pub used: Resources,
}

impl Quota {
    /// Reads a quota.
    pub fn read(object: Place<'_>) -> Self {
        let (meta, status) = (object.at("metadata"), object.at("status"));
        let mut hard = Resources::of(status.at("hard"));
        hard.fill_from(&Resources::of(object.at("spec").at("hard")));
        Self {
            key: Key {
                namespace: meta.at("namespace").string(),
                name: meta.at("name").string(),
            },
            hard,
            used: Resources::of(status.at("used")),
        }
    }
}

/// The workload that a pod belongs to, as far as the pod itself can tell.
pub fn workload_of(pod: &Pod) -> WorkloadId {
    let namespace = &pod.key.namespace;
    let id = |kind: &str, name: &str| WorkloadId {
        key: Key::new(namespace, name),
        kind: kind.to_owned(),
    };
    match &pod.owner {
        None => id("Pod", &pod.key.name),
        // A static pod is named after its node: kube-apiserver-master-1.
        Some(owner) if owner.kind == "Node" => {
            let suffix = format!("-{}", owner.name);
            id(
                "static pod",
                pod.key.name.strip_suffix(&suffix).unwrap_or(&pod.key.name),
            )
        }
        Some(owner) if owner.kind == "ReplicaSet" => {
            let hash = pod.labels.get("pod-template-hash");
            let rollout = pod.labels.get("rollouts-pod-template-hash");
            let kind = if rollout.is_some() {
                "Rollout"
            } else {
                "Deployment"
            };
            match without_hash(&owner.name, rollout.or(hash)) {
                Some(name) => id(kind, name),
                None => id("ReplicaSet", &owner.name),
            }
        }
        Some(owner) if owner.kind == "Job" => match without_schedule(&owner.name) {
            Some(name) => id("CronJob", name),
            None => id("Job", &owner.name),
        },
        Some(owner) => id(&owner.kind, &owner.name),
    }
}

/// `web` of `web-7d9cf856c9`.
pub fn without_hash<'a>(name: &'a str, hash: Option<&String>) -> Option<&'a str> {
    let (stem, last) = name.rsplit_once('-')?;
    let is_hash = match hash {
        Some(hash) => hash == last,
        // The letters of Kubernetes' own hashes: no vowels, nothing that looks like another.
        None => {
            (6..=10).contains(&last.len())
                && last
                    .bytes()
                    .all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
                && last.bytes().any(|b| b.is_ascii_digit())
        }
    };
    (is_hash && !stem.is_empty()).then_some(stem)
}

/// `backup` of `backup-28912345`: a `CronJob` names its jobs after the scheduled time.
fn without_schedule(name: &str) -> Option<&str> {
    let (stem, last) = name.rsplit_once('-')?;
    (last.len() >= 8 && last.bytes().all(|b| b.is_ascii_digit())).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_replica_set_is_taken_off() {
        let hash = "7d9cf856c9".to_owned();
        assert_eq!(
            without_hash("mse-gateway-7d9cf856c9", Some(&hash)),
            Some("mse-gateway")
        );
        assert_eq!(
            without_hash("mse-gateway-7d9cf856c9", None),
            Some("mse-gateway")
        );
        assert_eq!(without_hash("my-replica", None), None);
        assert_eq!(without_schedule("backup-28912345"), Some("backup"));
        assert_eq!(without_schedule("backup-2"), None);
    }
}
