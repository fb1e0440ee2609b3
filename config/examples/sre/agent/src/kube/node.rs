//! A node: a machine that offers room for pods.

use super::Condition;
use super::label::Labels;
use super::moment::Moment;
use super::place::Place;
use super::placement::Taint;
use super::resources::Resources;

/// The label that carries a node's own name.
pub const HOSTNAME: &str = "kubernetes.io/hostname";

/// A machine of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// What keeps pods away.
    pub taints: Vec<Taint>,
    /// Cordoned?
    pub is_cordoned: bool,
    /// What it can give to pods.
    pub allocatable: Resources,
    /// What it has in all.
    pub capacity: Resources,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// When it joined.
    pub created: Option<Moment>,
    /// When it began to leave, if it is being deleted.
    pub deleted: Option<Moment>,
}

impl Node {
    /// Reads a node. A node without `allocatable` gives what its `capacity` says.
    pub fn read(object: Place<'_>) -> Self {
        let (meta, spec, status) = (
            object.at("metadata"),
            object.at("spec"),
            object.at("status"),
        );
        let offered = if status.at("allocatable").is_present() {
            "allocatable"
        } else {
            "capacity"
        };
        let mut taints: Vec<Taint> = spec.at("taints").list().map(Taint::read).collect();
        taints.sort();
        Self {
            name: meta.at("name").string(),
            labels: meta.at("labels").labels(),
            is_cordoned: spec.at("unschedulable").flag() || taints.iter().any(Taint::is_of_cordon),
            taints,
            allocatable: Resources::of(status.at(offered)),
            capacity: Resources::of(status.at("capacity")),
            conditions: Condition::list(object),
            created: meta.at("creationTimestamp").moment(),
            deleted: meta.at("deletionTimestamp").moment(),
        }
    }

    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }

    /// Why the node is not ready, if it is not. A node that offers nothing and has no condition
    /// never reported.
    pub fn unready(&self) -> Option<&'static str> {
        match self.condition("Ready").map(|c| c.status.as_str()) {
            Some("True") => None,
            Some("False") => Some("NotReady"),
            Some(_) => Some("NotReady (status Unknown)"),
            None if self.allocatable.iter().next().is_some() => None,
            None => Some("NotReady (it never reported a status)"),
        }
    }

    /// The pressures and network faults that are true now.
    pub fn pressures(&self) -> Vec<&Condition> {
        const BAD_WHEN_TRUE: [&str; 4] = [
            "MemoryPressure",
            "DiskPressure",
            "PIDPressure",
            "NetworkUnavailable",
        ];
        let bad = |c: &&Condition| BAD_WHEN_TRUE.contains(&c.kind.as_str()) && c.status == "True";
        self.conditions.iter().filter(bad).collect()
    }

    /// A machine of the control plane, by its label or taint?
    pub fn is_of_control_plane(&self) -> bool {
        self.taints.iter().any(Taint::is_of_control_plane)
            || self
                .labels
                .contains_key("node-role.kubernetes.io/control-plane")
            || self.labels.contains_key("node-role.kubernetes.io/master")
    }

    /// The zone that it stands in.
    pub fn zone(&self) -> Option<&str> {
        ZONE_LABELS
            .iter()
            .find_map(|l| self.labels.get(*l))
            .map(String::as_str)
    }

    /// `4 cpu, 16Gi memory` of allocatable room.
    pub fn size(&self) -> String {
        let part = |name: &str| format!("{name} {}", self.allocatable.get(name).shown(name));
        let extended = self
            .allocatable
            .iter()
            .filter(|(n, a)| n.contains('/') && a.is_positive());
        let mut parts = vec![part("cpu"), part("memory")];
        parts.extend(extended.map(|(n, _)| part(n)));
        parts.join(", ")
    }
}

/// The labels that name a zone, the newer first.
pub const ZONE_LABELS: [&str; 2] = [
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/zone",
];
