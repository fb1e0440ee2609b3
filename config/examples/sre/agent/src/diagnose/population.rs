//! The pods of each workload, and how well it stands.

use std::collections::BTreeMap;

use crate::kube::Key;
use crate::kube::cluster::Cluster;
use crate::kube::pod::{Phase, Pod};
use crate::kube::workload::WorkloadId;
use crate::outcome::Severity;
use crate::phrase;

/// All pods by workload.
#[derive(Debug)]
pub struct Population<'a> {
    /// The recording.
    pub cluster: &'a Cluster,
    /// The pods of each workload, by key.
    pub by_workload: BTreeMap<WorkloadId, Vec<&'a Pod>>,
    workload_of: BTreeMap<&'a Key, WorkloadId>,
}

/// How many pods of a workload there are, and how many take traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Pods that have not ended for good.
    pub alive: usize,
    /// Those that are ready.
    pub ready: usize,
    /// How many there should be, if the recording says.
    pub desired: Option<usize>,
}

impl<'a> Population<'a> {
    /// Sorts the pods of a cluster.
    pub fn of(cluster: &'a Cluster) -> Self {
        let (mut by_workload, mut workload_of) = (BTreeMap::new(), BTreeMap::new());
        for pod in cluster.pods.values() {
            let id = cluster.workload_of(pod);
            by_workload
                .entry(id.clone())
                .or_insert_with(Vec::new)
                .push(pod);
            workload_of.insert(&pod.key, id);
        }
        Self {
            cluster,
            by_workload,
            workload_of,
        }
    }

    /// The workload of a pod.
    pub fn workload(&self, pod: &Pod) -> WorkloadId {
        self.workload_of
            .get(&pod.key)
            .cloned()
            .unwrap_or_else(|| self.cluster.workload_of(pod))
    }

    /// `Pod shop/web-7d9cf856c9-x2k4p (Deployment web)`; a pod of its own has no workload to tell.
    pub fn pod_in_words(&self, pod: &Pod) -> String {
        let id = self.workload(pod);
        if id.kind == "Pod" {
            return format!("Pod {}", pod.key);
        }
        format!("Pod {} ({} {})", pod.key, id.kind, id.key.name)
    }

    /// How a workload stands.
    pub fn standing(&self, id: &WorkloadId) -> Standing {
        let pods = self
            .by_workload
            .get(id)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let desired = self.cluster.workloads.get(id).and_then(|w| w.desired);
        Standing {
            alive: pods.iter().filter(|p| !p.is_over()).count(),
            ready: pods.iter().filter(|p| p.is_ready()).count(),
            desired: desired.and_then(|d| usize::try_from(d).ok()),
        }
    }

    /// Is the workload one that ends by itself?
    pub fn is_job(id: &WorkloadId) -> bool {
        matches!(id.kind.as_str(), "Job" | "CronJob")
    }

    /// How bad it is when something is wrong with pods of these workloads.
    pub fn severity<'i>(&self, ids: impl IntoIterator<Item = &'i WorkloadId>) -> Severity {
        let is_down = |id: &WorkloadId| !Self::is_job(id) && self.standing(id).ready == 0;
        if ids.into_iter().any(is_down) {
            Severity::Critical
        } else {
            Severity::Warning
        }
    }

    /// `Deployment mse/mse-gateway: 0 of 4 pods ready`, for each of the workloads.
    pub fn impact<'i>(&self, ids: impl IntoIterator<Item = &'i WorkloadId>) -> Option<String> {
        /// A sentence with more names is not read.
        const MAX_WORKLOADS: usize = 8;
        let lines: Vec<String> = ids
            .into_iter()
            .map(|id| {
                let s = self.standing(id);
                let all = s.desired.unwrap_or(0).max(s.alive);
                let so = match (Self::is_job(id), s.ready, all) {
                    (true, ..) => "has not finished".to_owned(),
                    (false, 0, 0) => "it has no pod at all: it is down".to_owned(),
                    (false, 0, 1) => "its only pod is not ready: it is down".to_owned(),
                    (false, 0, n) => format!("0 of {n} pods ready: it is down"),
                    (false, r, n) if r < n => format!("{r} of {n} pods ready: reduced"),
                    (false, r, n) => format!("{r} of {n} pods ready"),
                };
                format!("{id}: {so}")
            })
            .collect();
        (!lines.is_empty()).then(|| format!("{}.", phrase::names(lines, MAX_WORKLOADS)))
    }

    /// Has the workload other pods that work, so that an ended one is only a trace?
    pub fn is_replaced(&self, pod: &Pod) -> bool {
        let id = self.workload(pod);
        let pods = self
            .by_workload
            .get(&id)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let newer = |other: &&&Pod| other.key != pod.key && other.created >= pod.created;
        if Self::is_job(&id) {
            return pods
                .iter()
                .filter(newer)
                .any(|p| p.phase == Phase::Succeeded || p.is_ready());
        }
        let others: Vec<&&Pod> = pods
            .iter()
            .filter(|p| p.key != pod.key && !p.is_over())
            .collect();
        !others.is_empty() && others.iter().all(|p| p.is_ready())
    }
}
