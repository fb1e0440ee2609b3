//! The rules by which a pod says where it may run: tolerations, neighbours, spread.

use super::label::{LabelSelector, Labels, NodeSelector};
use super::place::Place;

/// A mark on a node that keeps pods away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taint {
    /// What the taint is about.
    pub key: String,
    /// May be empty.
    pub value: String,
    /// `NoSchedule`, `NoExecute` or `PreferNoSchedule`.
    pub effect: String,
}

impl Taint {
    /// Reads one element of `spec.taints`.
    pub fn read(place: Place<'_>) -> Self {
        Self {
            key: place.at("key").string(),
            value: place.at("value").string(),
            effect: place.at("effect").string(),
        }
    }

    /// Does the taint forbid scheduling? (`PreferNoSchedule` does not.)
    pub fn is_hard(&self) -> bool {
        matches!(self.effect.as_str(), "NoSchedule" | "NoExecute")
    }

    /// `dedicated=ingress:NoSchedule`, as kubectl writes it.
    pub fn shown(&self) -> String {
        if self.value.is_empty() {
            format!("{}:{}", self.key, self.effect)
        } else {
            format!("{}={}:{}", self.key, self.value, self.effect)
        }
    }

    /// Set by Kubernetes itself because the node is ill?
    pub fn is_of_health(&self) -> bool {
        self.key
            .strip_prefix("node.kubernetes.io/")
            .is_some_and(|k| {
                matches!(
                    k,
                    "not-ready"
                        | "unreachable"
                        | "memory-pressure"
                        | "disk-pressure"
                        | "pid-pressure"
                        | "network-unavailable"
                        | "out-of-service"
                )
            })
            || self.key == "node.cloudprovider.kubernetes.io/uninitialized"
            || self.key == "node.cloudprovider.kubernetes.io/shutdown"
    }

    /// Set by `kubectl cordon`?
    pub fn is_of_cordon(&self) -> bool {
        self.key == "node.kubernetes.io/unschedulable"
    }

    /// Keeps ordinary pods off the machines of the control plane?
    pub fn is_of_control_plane(&self) -> bool {
        matches!(
            self.key.as_str(),
            "node-role.kubernetes.io/control-plane"
                | "node-role.kubernetes.io/master"
                | "node-role.kubernetes.io/etcd"
                | "node-role.kubernetes.io/controlplane"
        )
    }
}

/// A pod's leave to stand on a tainted node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toleration {
    key: String,
    operator: String,
    value: String,
    effect: String,
}

impl Toleration {
    /// Reads one element of `spec.tolerations`.
    pub fn read(place: Place<'_>) -> Self {
        Self {
            key: place.at("key").string(),
            operator: place.at("operator").string(),
            value: place.at("value").string(),
            effect: place.at("effect").string(),
        }
    }

    /// An empty effect tolerates every effect, an empty key with `Exists` every key.
    pub fn tolerates(&self, taint: &Taint) -> bool {
        if !self.effect.is_empty() && self.effect != taint.effect {
            return false;
        }
        let number = |text: &str| text.parse::<i64>().ok();
        let ordered = || Some(number(&taint.value)?.cmp(&number(&self.value)?));
        match self.operator.as_str() {
            "Exists" => self.key.is_empty() || self.key == taint.key,
            "" | "Equal" => self.key == taint.key && self.value == taint.value,
            "Gt" => self.key == taint.key && ordered().is_some_and(std::cmp::Ordering::is_gt),
            "Lt" => self.key == taint.key && ordered().is_some_and(std::cmp::Ordering::is_lt),
            _ => false,
        }
    }
}

/// A required rule about pods nearby.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodTerm {
    /// Which pods the rule speaks of.
    pub selector: LabelSelector,
    /// The label that makes two nodes near each other.
    pub topology_key: String,
    namespaces: Vec<String>,
    namespace_selector: Option<LabelSelector>,
}

impl PodTerm {
    /// Reads the required terms of `podAffinity` or `podAntiAffinity`.
    pub fn list(place: Place<'_>) -> Vec<Self> {
        place
            .at("requiredDuringSchedulingIgnoredDuringExecution")
            .list()
            .map(|t| Self {
                selector: LabelSelector::read(t.at("labelSelector")),
                topology_key: t.at("topologyKey").string(),
                namespaces: t.at("namespaces").strings(),
                namespace_selector: t
                    .at("namespaceSelector")
                    .is_present()
                    .then(|| LabelSelector::read(t.at("namespaceSelector"))),
            })
            .collect()
    }

    /// Does the term of a pod in namespace `own` speak of pods in `namespace`?
    pub fn covers(&self, own: &str, namespace: &str, labels: impl Fn() -> Labels) -> bool {
        if self.namespaces.is_empty() && self.namespace_selector.is_none() {
            return own == namespace;
        }
        self.namespaces.iter().any(|n| n == namespace)
            || self
                .namespace_selector
                .as_ref()
                .is_some_and(|s| s.selects(&labels()))
    }

    /// `app=web on the same kubernetes.io/hostname`.
    pub fn shown(&self) -> String {
        format!("{} within one {}", self.selector.shown(), self.topology_key)
    }
}

/// A spread that must hold (`whenUnsatisfiable: DoNotSchedule`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// By how many pods two domains may differ.
    pub max_skew: i64,
    /// With fewer domains than this, the smallest counts as empty.
    pub min_domains: i64,
    /// The label whose values are the domains.
    pub topology_key: String,
    /// Which pods are counted.
    pub selector: LabelSelector,
    /// Are nodes that the pod's own selectors exclude left out of the count?
    pub honors_affinity: bool,
    /// Are nodes with taints that the pod does not tolerate left out of the count?
    pub honors_taints: bool,
}

impl Spread {
    /// Reads the constraints that must hold.
    pub fn list(spec: Place<'_>, labels: &Labels) -> Vec<Self> {
        let hard = |c: &Place<'_>| c.at("whenUnsatisfiable").text() != Some("ScheduleAnyway");
        spec.at("topologySpreadConstraints")
            .list()
            .filter(hard)
            .map(|c| {
                let mut selector = LabelSelector::read(c.at("labelSelector"));
                for key in c.at("matchLabelKeys").strings() {
                    selector.and_same(&key, labels);
                }
                Self {
                    max_skew: c.at("maxSkew").whole().unwrap_or(1),
                    min_domains: c.at("minDomains").whole().unwrap_or(1),
                    topology_key: c.at("topologyKey").string(),
                    selector,
                    honors_affinity: c.at("nodeAffinityPolicy").text() != Some("Ignore"),
                    honors_taints: c.at("nodeTaintsPolicy").text() == Some("Honor"),
                }
            })
            .collect()
    }
}

/// All rules of a pod about where it may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Labels that the node must carry.
    pub node_labels: Labels,
    /// The required node affinity.
    pub node_affinity: Option<NodeSelector>,
    /// Taints that the pod stands.
    pub tolerations: Vec<Toleration>,
    /// Pods that must be near.
    pub near: Vec<PodTerm>,
    /// Pods that must not be near.
    pub apart: Vec<PodTerm>,
    /// Spreads that must hold.
    pub spread: Vec<Spread>,
}

impl Placement {
    /// Reads the rules from a pod's `spec`.
    pub fn read(spec: Place<'_>, labels: &Labels) -> Self {
        let affinity = spec.at("affinity");
        Self {
            node_labels: spec.at("nodeSelector").labels(),
            node_affinity: NodeSelector::read(
                affinity
                    .at("nodeAffinity")
                    .at("requiredDuringSchedulingIgnoredDuringExecution"),
            ),
            tolerations: spec
                .at("tolerations")
                .list()
                .map(Toleration::read)
                .collect(),
            near: PodTerm::list(affinity.at("podAffinity")),
            apart: PodTerm::list(affinity.at("podAntiAffinity")),
            spread: Spread::list(spec, labels),
        }
    }

    /// Does one of the tolerations stand this taint?
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.tolerations.iter().any(|t| t.tolerates(taint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tolerates(toleration: &Value, taint: &Value) -> bool {
        Toleration::read(Place::of(toleration)).tolerates(&Taint::read(Place::of(taint)))
    }

    #[test]
    fn tolerations_meet_taints_as_kubernetes_says() {
        let taint = json!({"key": "dedicated", "value": "ingress", "effect": "NoSchedule"});
        for (toleration, expected) in [
            (json!({"operator": "Exists"}), true),
            (json!({"key": "dedicated", "operator": "Exists"}), true),
            (
                json!({"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}),
                false,
            ),
            (json!({"key": "dedicated", "value": "ingress"}), true),
            (
                json!({"key": "dedicated", "operator": "Equal", "value": "ingress",
                "effect": "NoSchedule"}),
                true,
            ),
            (
                json!({"key": "dedicated", "operator": "Equal", "value": "gpu"}),
                false,
            ),
            (json!({"key": "other", "operator": "Exists"}), false),
            (json!({"key": "", "operator": "Equal"}), false),
        ] {
            assert_eq!(tolerates(&toleration, &taint), expected, "{toleration}");
        }
    }

    #[test]
    fn a_soft_taint_forbids_nothing() {
        let soft = json!({"key": "k", "effect": "PreferNoSchedule"});
        assert!(!Taint::read(Place::of(&soft)).is_hard());
    }
}
