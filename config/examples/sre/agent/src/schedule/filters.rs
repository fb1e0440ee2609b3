//! What one node says to one pod by itself: cordon, health, taints, labels, ports, room.

use crate::kube::node::Node;
use crate::kube::placement::Taint;
use crate::kube::pod::Pod;
use crate::kube::quantity::Quantity;

use super::refusal::{Obstacle, Refusal, Shortfall};
use super::world::Slot;

/// Does the node refuse the pod at first sight, leaving the `ignored` families out?
///
/// Only what is cheap is looked at: where this says no, the filters have to be asked.
pub fn refuses_at_once(pod: &Pod, here: &Slot<'_>, ignored: &[Obstacle]) -> bool {
    let (node, rules) = (&here.node, &pod.placement);
    let counts = |obstacle: Obstacle| !ignored.contains(&obstacle);
    let lacks =
        |(resource, needs): (&str, Quantity)| needs.is_positive() && needs > here.free(resource);
    (counts(Obstacle::Room) && pod.requests.iter().any(lacks))
        || (counts(Obstacle::Selector)
            && rules
                .node_labels
                .iter()
                .any(|(k, v)| node.labels.get(k) != Some(v)))
        || (counts(Obstacle::Taint)
            && node
                .taints
                .iter()
                .any(|t| is_deliberate(t) && !rules.tolerates(t)))
}

fn is_deliberate(taint: &Taint) -> bool {
    taint.is_hard() && family(taint) == Obstacle::Taint
}

/// The family of reasons to which a taint belongs.
fn family(taint: &Taint) -> Obstacle {
    if taint.is_of_cordon() {
        Obstacle::Cordon
    } else if taint.is_of_health() {
        Obstacle::Health
    } else if taint.is_of_control_plane() {
        Obstacle::ControlPlane
    } else {
        Obstacle::Taint
    }
}

/// What the node itself says: cordon, health, taints, labels.
pub fn on_node(pod: &Pod, node: &Node, refusals: &mut Vec<Refusal>) {
    let rules = &pod.placement;
    let cordon = taint("node.kubernetes.io/unschedulable");
    if node.is_cordoned && !rules.tolerates(&cordon) {
        let (label, detail) = ("node(s) were unschedulable", "the node is cordoned");
        refusals.push(Refusal::new(Obstacle::Cordon, label, detail));
    }
    let hard = node
        .taints
        .iter()
        .filter(|t| t.is_hard() && !t.is_of_cordon());
    let mut ill = false;
    for taint in hard {
        ill |= taint.is_of_health();
        if rules.tolerates(taint) {
            continue;
        }
        let obstacle = family(taint);
        refusals.push(Refusal::taint(obstacle, taint));
    }
    if !ill {
        untainted_illness(pod, node, refusals);
    }
    for (key, value) in &rules.node_labels {
        if node.labels.get(key) != Some(value) {
            let have = node
                .labels
                .get(key)
                .map_or("is not set".to_owned(), |v| format!("is {v}"));
            let detail = format!("nodeSelector wants {key}={value}, the node's label {have}");
            refusals.push(selector(detail));
        }
    }
    if let Some(rule) = &rules.node_affinity
        && !rule.is_met_by(&node.name, &node.labels)
    {
        refusals.push(selector(format!("node affinity wants {}", rule.shown())));
    }
}

fn selector(detail: String) -> Refusal {
    let label = "node(s) didn't match Pod's node affinity/selector";
    Refusal::new(Obstacle::Selector, label, detail)
}

const NOT_READY: &str = "node(s) had untolerated taint {node.kubernetes.io/not-ready: }";

/// A node that is ill but does not carry the taint yet: it is about to.
fn untainted_illness(pod: &Pod, node: &Node, refusals: &mut Vec<Refusal>) {
    let mut marks = Vec::new();
    if node.unready().is_some() {
        let detail = "the node is NotReady".to_owned();
        marks.push(("node.kubernetes.io/not-ready", NOT_READY, detail));
    }
    for pressure in node.pressures() {
        let (key, label) = match pressure.kind.as_str() {
            // Pods that ask for anything tolerate the pressure by an admission rule.
            "MemoryPressure" if pod.requests.iter().any(|(_, a)| a.is_positive()) => continue,
            "MemoryPressure" => (
                "node.kubernetes.io/memory-pressure",
                "node(s) had untolerated taint {node.kubernetes.io/memory-pressure: }",
            ),
            "DiskPressure" => (
                "node.kubernetes.io/disk-pressure",
                "node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }",
            ),
            "PIDPressure" => (
                "node.kubernetes.io/pid-pressure",
                "node(s) had untolerated taint {node.kubernetes.io/pid-pressure: }",
            ),
            _ => (
                "node.kubernetes.io/network-unavailable",
                "node(s) had untolerated taint {node.kubernetes.io/network-unavailable: }",
            ),
        };
        marks.push((key, label, format!("the node has {}", pressure.kind)));
    }
    for (key, label, detail) in marks {
        if !pod.placement.tolerates(&taint(key)) {
            refusals.push(Refusal::new(Obstacle::Health, label, detail));
        }
    }
}

fn taint(key: &str) -> Taint {
    Taint {
        key: key.to_owned(),
        value: String::new(),
        effect: "NoSchedule".to_owned(),
    }
}

/// Ports of the node that are taken.
pub fn ports(pod: &Pod, here: &Slot<'_>, refusals: &mut Vec<Refusal>) {
    let wanted = pod.host_ports();
    if wanted.is_empty() {
        return;
    }
    for other in &here.pods {
        let taken = other.host_ports();
        if let Some(port) = wanted.iter().find(|w| taken.iter().any(|t| t.collides(w))) {
            let label = "node(s) didn't have free ports for the requested pod ports";
            let detail = format!(
                "host port {}/{} is taken by {}",
                port.port, port.protocol, other.key
            );
            refusals.push(Refusal::new(Obstacle::Port, label, detail));
            return;
        }
    }
}

/// Resources and places of which there is too little.
pub fn room(pod: &Pod, here: &Slot<'_>, refusals: &mut Vec<Refusal>) {
    let promised: Vec<&&Pod> = here
        .promised
        .iter()
        .filter(|p| p.key != pod.key && p.priority >= pod.priority)
        .collect();
    let allocatable = &here.node.allocatable;
    let count = i64::try_from(here.pods.len() + promised.len()).unwrap_or(i64::MAX);
    let places = allocatable.get("pods");
    if allocatable.has("pods") && Quantity::whole(count) + Quantity::whole(1) > places {
        refusals.push(Refusal::short(Shortfall {
            resource: "pods".to_owned(),
            needs: Quantity::whole(1),
            free: places - Quantity::whole(count),
            allocatable: places,
        }));
    }
    for (resource, needs) in pod
        .requests
        .iter()
        .filter(|(_, amount)| amount.is_positive())
    {
        let held = promised
            .iter()
            .fold(Quantity::ZERO, |sum, p| sum + p.requests.get(resource));
        let free = here.free(resource) - held;
        if needs > free {
            refusals.push(Refusal::short(Shortfall {
                resource: resource.to_owned(),
                needs,
                free,
                allocatable: allocatable.get(resource),
            }));
        }
    }
}
