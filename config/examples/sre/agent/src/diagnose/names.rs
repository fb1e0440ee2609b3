//! All names in a recording, and what each stands for.

use std::collections::{BTreeMap, BTreeSet};

use crate::kube::Key;
use crate::kube::workload::WorkloadId;

use super::creation::{CREATORS, shown};
use super::population::Population;

/// The labels by which people call a workload.
const NAME_LABELS: [&str; 5] = [
    "app",
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "k8s-app",
    "app.kubernetes.io/component",
];

/// What one name stands for.
#[derive(Debug, Clone, Default)]
pub struct Meaning {
    /// Pods of that name.
    pub pods: BTreeSet<Key>,
    /// Workloads of that name, or whose owner or label bears it.
    pub workloads: BTreeSet<WorkloadId>,
    /// Is it a node?
    pub nodes: BTreeSet<String>,
    /// Claims, volumes, classes, quotas.
    pub objects: BTreeSet<String>,
    /// Is it a namespace?
    pub is_namespace: bool,
}

/// The names of a recording.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, Meaning>);

impl Names {
    /// Collects the names.
    pub fn of(population: &Population<'_>) -> Self {
        let mut names = Self::default();
        let cluster = population.cluster;
        for (id, pods) in &population.by_workload {
            names.at(&id.key.name).workloads.insert(id.clone());
            for pod in pods {
                names.at(&pod.key.name).pods.insert(pod.key.clone());
                names.at(&pod.key.namespace).is_namespace = true;
                let owner = pod
                    .owner
                    .iter()
                    .filter(|o| o.kind != "Node")
                    .map(|o| &o.name);
                let labels = NAME_LABELS.iter().filter_map(|l| pod.labels.get(*l));
                for name in owner.chain(labels) {
                    names.at(name).workloads.insert(id.clone());
                }
            }
        }
        for id in cluster
            .workloads
            .keys()
            .filter(|id| id.kind != "ReplicaSet")
        {
            names.at(&id.key.name).workloads.insert(id.clone());
        }
        for node in cluster.nodes.keys() {
            names.at(node).nodes.insert(node.clone());
            let short = node.split('.').next().unwrap_or(node);
            names.at(short).nodes.insert(node.clone());
        }
        for namespace in cluster
            .claims
            .keys()
            .chain(cluster.quotas.keys())
            .map(|k| &k.namespace)
        {
            names.at(namespace).is_namespace = true;
        }
        let failed = || cluster.events.iter().filter(|e| e.reason == "FailedCreate");
        // What never had a pod is known by the complaint alone.
        for event in failed().filter(|e| CREATORS.contains(&e.kind.as_str())) {
            let id = shown(&event.kind, &event.object);
            names.at(&id.key.name).workloads.insert(id.clone());
        }
        let objects = cluster
            .claims
            .keys()
            .chain(cluster.quotas.keys())
            .map(|k| &k.name);
        let objects = objects
            .chain(cluster.volumes.keys())
            .chain(cluster.classes.keys());
        for name in objects.chain(failed().map(|e| &e.object.name)) {
            names.at(name).objects.insert(name.clone());
        }
        names
    }

    fn at(&mut self, name: &str) -> &mut Meaning {
        self.0.entry(name.to_ascii_lowercase()).or_default()
    }

    /// What a name stands for.
    pub fn meaning(&self, name: &str) -> Option<&Meaning> {
        self.0.get(name)
    }
}
