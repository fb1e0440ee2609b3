//! The labels that a container carries, so that a daemon that knows nothing finds it again.

use std::collections::HashMap;

use super::home::{Home, digest};
use super::{BoxId, BoxSpec};

const HOME: &str = "majordomo.home";
const CLUSTER: &str = "majordomo.cluster";
const NODE: &str = "majordomo.node";
const TEAM: &str = "majordomo.team";
const WORKER: &str = "majordomo.worker";
const EPOCH: &str = "majordomo.epoch";
/// A digest of everything that the container was made from.
const SPEC: &str = "majordomo.spec";

/// A set of labels.
#[derive(Clone, Debug)]
pub(super) struct Labels(HashMap<String, String>);

impl Labels {
    /// What all containers of a node carry.
    pub(super) fn of_home(home: &Home) -> Labels {
        let (cluster, node) = home.whose();
        let pairs = [
            (HOME, home.mark.clone()),
            (CLUSTER, cluster),
            (NODE, node.to_string()),
        ];
        Labels(pairs.map(|(key, value)| (key.to_owned(), value)).into())
    }

    /// What the container of one box carries.
    pub(super) fn of_spec(home: &Home, spec: &BoxSpec) -> Labels {
        let mut labels = Labels::of_home(home).0;
        let made_from = serde_json::to_string(spec).unwrap_or_default();
        let pairs = [
            (TEAM, spec.id.team.clone()),
            (WORKER, spec.id.worker.clone()),
            (EPOCH, spec.id.epoch.to_string()),
            (SPEC, digest(&[&made_from, &home.domo.to_string_lossy()])),
        ];
        labels.extend(pairs.map(|(key, value)| (key.to_owned(), value)));
        Labels(labels)
    }

    pub(super) fn into_map(self) -> HashMap<String, String> {
        self.0
    }

    /// As the engine wants them in a filter.
    pub(super) fn filters(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect()
    }

    /// Is a container with these labels this box's, made from whatever?
    pub(super) fn are_of_same_box(&self, other: &HashMap<String, String>) -> bool {
        self.0
            .iter()
            .all(|(key, value)| key == SPEC || other.get(key) == Some(value))
    }

    /// Was a container with these labels made from the same?
    pub(super) fn are_of_same_spec(&self, other: &HashMap<String, String>) -> bool {
        other.get(SPEC) == self.0.get(SPEC)
    }
}

/// Which box a container is.
pub(super) fn box_id(labels: &HashMap<String, String>) -> Option<BoxId> {
    Some(BoxId {
        cluster: labels.get(CLUSTER)?.clone(),
        node: labels.get(NODE)?.parse().ok()?,
        team: labels.get(TEAM)?.clone(),
        worker: labels.get(WORKER)?.clone(),
        epoch: labels.get(EPOCH)?.parse().ok()?,
    })
}
