//! Nodes that do not work, and what they drag along.

use std::collections::{BTreeMap, BTreeSet};

use crate::kube::cluster::Cluster;
use crate::kube::moment::span;
use crate::kube::node::Node;
use crate::kube::pod::Pod;
use crate::kube::{Condition, Key};
use crate::outcome::Severity;
use crate::phrase;

use super::fault::{Cause, Fault};
use super::population::Population;

/// Nodes that are named in one line.
const MAX_NAMED_NODES: usize = 8;
/// Pods that are named in one line.
const MAX_NAMED_PODS: usize = 10;
/// What the node problem detector reports, true when it is bad.
const REPORTED_PROBLEMS: [&str; 8] = [
    "KernelDeadlock",
    "ReadonlyFilesystem",
    "CorruptDockerOverlay2",
    "FrequentKubeletRestart",
    "FrequentDockerRestart",
    "FrequentContainerdRestart",
    "XfsShutdown",
    "FrequentUnregisterNetDevice",
];

/// The faults of all nodes; nodes that are down for one reason are one fault.
pub fn faults(population: &Population<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut down: BTreeMap<(&str, &str), Vec<&Node>> = BTreeMap::new();
    for node in population.cluster.nodes.values() {
        if let Some(how) = node.unready() {
            down.entry((how, why_down(node).what))
                .or_default()
                .push(node);
        } else {
            faults.extend(node.pressures().into_iter().map(|p| pressed(node, p)));
        }
        let is_problem =
            |c: &&Condition| c.status == "True" && REPORTED_PROBLEMS.contains(&c.kind.as_str());
        faults.extend(
            node.conditions
                .iter()
                .filter(is_problem)
                .map(|c| reported(node, c)),
        );
    }
    faults.extend(
        down.into_iter()
            .map(|((how, _), nodes)| self::down(population, how, &nodes)),
    );
    faults
}

fn down(population: &Population<'_>, how: &str, nodes: &[&Node]) -> Fault {
    let cluster = population.cluster;
    let why = why_down(nodes[0]);
    let names = phrase::names(nodes.iter().map(|n| &n.name), MAX_NAMED_NODES);
    let who = match nodes {
        [one] => format!("Node {} is", one.name),
        _ => format!("{} ({names}) are", phrase::count(nodes.len(), "node")),
    };
    let what = if nodes.len() == 1 {
        why.what.to_owned()
    } else {
        why.what.replacen("its", "the", 1)
    };
    let title = format!("{who} {how}: {what}");
    let mut fault = Fault::new(Cause::NodeDown, Severity::Critical, title);
    let since = nodes
        .iter()
        .filter_map(|n| n.condition("Ready")?.since)
        .min();
    let since = since.map_or_else(String::new, |s| {
        let ago = cluster
            .age_s(Some(s))
            .map_or_else(String::new, |a| format!(", {} ago", span(a)));
        format!(" since {s}{ago}")
    });
    fault.explanation = format!("{who} {how}{since}: {what}.");
    if let Some(ready) = nodes[0]
        .condition("Ready")
        .filter(|c| !c.message.is_empty())
    {
        let said = phrase::said(&ready.message);
        fault.explanation = format!(
            "{} The kubelet's state: {}: {said}.",
            fault.explanation, ready.reason
        );
    }
    fault.explanation = format!("{}{}", fault.explanation, one_zone(cluster, nodes));
    let its = if nodes.len() == 1 {
        "its pods run"
    } else {
        "their pods run"
    };
    fault.cure = format!(
        "{} on {names}; until then {its} nowhere or unseen.",
        why.cure
    );
    for node in nodes {
        let ready = node.condition("Ready");
        fault.evidence.push(format!(
            "{}: Ready {} ({}): {}",
            node.name,
            ready.map_or("not reported", |c| c.status.as_str()),
            ready.map_or("", |c| c.reason.as_str()),
            ready.map_or("", |c| c.message.as_str())
        ));
    }
    mark(&mut fault, population, nodes);
    fault
}

/// Are all of them in one zone, with no other node of it that works?
fn one_zone(cluster: &Cluster, nodes: &[&Node]) -> String {
    let zones: BTreeSet<Option<&str>> = nodes.iter().map(|n| n.zone()).collect();
    let [Some(zone)] = zones.into_iter().collect::<Vec<_>>()[..] else {
        return String::new();
    };
    let well = cluster
        .nodes
        .values()
        .any(|n| n.zone() == Some(zone) && n.unready().is_none());
    if well || nodes.len() < 2 {
        return String::new();
    }
    format!(" These are all nodes of zone {zone}: the zone itself may be down.")
}

struct WhyDown {
    what: &'static str,
    cure: &'static str,
}

fn why_down(node: &Node) -> WhyDown {
    let ready = node.condition("Ready");
    let reason = ready.map_or("", |c| c.reason.as_str());
    let text = ready.map_or_else(String::new, |c| c.message.to_ascii_lowercase());
    if reason == "NodeStatusUnknown" || text.contains("stopped posting node status") {
        WhyDown {
            what: "its kubelet stopped posting status (machine, network or kubelet is down)",
            cure: "Look at the machine, its network and the kubelet service",
        }
    } else if text.contains("cni")
        || text.contains("network plugin")
        || text.contains("networkready=false")
    {
        WhyDown {
            what: "its container network is not ready (CNI plugin)",
            cure: "Look at the network plugin's pod and its configuration in /etc/cni/net.d",
        }
    } else if text.contains("pleg") {
        WhyDown {
            what: "its container engine answers too slowly (PLEG is not healthy)",
            cure: "Look at the container engine and the disk",
        }
    } else if text.contains("container runtime is down") || text.contains("runtime") {
        WhyDown {
            what: "its container engine does not answer",
            cure: "Look at the container engine's service",
        }
    } else {
        WhyDown {
            what: "its kubelet reports that it cannot run pods",
            cure: "Look at the kubelet's log",
        }
    }
}

fn pressed(node: &Node, pressure: &Condition) -> Fault {
    let kind = pressure.kind.as_str();
    let (what, cure) = match kind {
        "MemoryPressure" => (
            "the node is low on memory: new best-effort pods are kept away and pods are evicted",
            "Move pods away or give them requests that match their use; see which pods use more \
             memory than they ask for",
        ),
        "DiskPressure" => (
            "the node is low on disk: new pods are kept away, images and pods are removed",
            "Make room on the node's disk (images, logs, emptyDir volumes) or enlarge it",
        ),
        "PIDPressure" => (
            "the node is low on process ids: new pods are kept away and pods are evicted",
            "Find the pod that makes so many processes and limit it",
        ),
        _ => (
            "the node's network is not set up: no pod can be placed on it",
            "Look at the network plugin or the cloud's route controller",
        ),
    };
    let title = format!("Node {} has {kind}: {what}", node.name);
    let mut fault = Fault::new(Cause::NodePressure, Severity::Warning, title);
    fault.explanation = format!(
        "Node {} has {kind} ({}: {}): {what}.",
        node.name,
        pressure.reason,
        phrase::said(&pressure.message)
    );
    fault.cure = format!("{cure} ({}).", node.name);
    let since = pressure
        .since
        .map_or_else(String::new, |s| format!(" since {s}"));
    fault.evidence.push(format!(
        "{}: {kind} True{since}: {}",
        node.name, pressure.message
    ));
    fault.nodes.insert(node.name.clone());
    fault
}

fn reported(node: &Node, problem: &Condition) -> Fault {
    let title = format!("Node {} reports {}", node.name, problem.kind);
    let mut fault = Fault::new(Cause::NodePressure, Severity::Warning, title);
    fault.explanation = format!(
        "Node {} reports the condition {} ({}: {}).",
        node.name,
        problem.kind,
        problem.reason,
        phrase::said(&problem.message)
    );
    fault.cure = format!("Drain {} and repair the machine.", node.name);
    fault.evidence.push(format!(
        "{}: {} True: {}",
        node.name, problem.kind, problem.message
    ));
    fault.nodes.insert(node.name.clone());
    fault
}

/// Notes the nodes' pods that suffer: all but those that end with their node anyway.
fn mark(fault: &mut Fault, population: &Population<'_>, nodes: &[&Node]) {
    fault.nodes.extend(nodes.iter().map(|n| n.name.clone()));
    let there = |p: &&Pod| !p.is_over() && p.node.as_ref().is_some_and(|n| fault.nodes.contains(n));
    let on_it: Vec<&Pod> = population.cluster.pods.values().filter(there).collect();
    let mut named: BTreeSet<&Key> = BTreeSet::new();
    for pod in &on_it {
        let id = population.workload(pod);
        fault.pods.insert(pod.key.clone());
        if id.kind != "DaemonSet" && id.kind != "static pod" {
            fault.workloads.insert(id);
            named.insert(&pod.key);
        }
    }
    if !named.is_empty() {
        let all = phrase::names(&named, MAX_NAMED_PODS);
        fault.explanation = format!("{} It takes down {all}.", fault.explanation);
        fault
            .evidence
            .push(format!("pods that suffer with it: {all}"));
    }
}

/// The network plugins that run as pods on each node.
const NETWORK_PODS: [&str; 11] = [
    "calico-node",
    "canal",
    "kube-flannel",
    "cilium",
    "weave-net",
    "kube-router",
    "antrea-agent",
    "aws-node",
    "kindnet",
    "kube-ovn-cni",
    "terway",
];

/// Is this the pod that sets up the network of its node?
pub fn is_network_pod(name: &str) -> bool {
    NETWORK_PODS.iter().any(|n| name.starts_with(n))
}

/// Does the node say that its network plugin is what is missing?
pub fn lacks_network(cluster: &Cluster, node: &str) -> bool {
    cluster
        .nodes
        .get(node)
        .and_then(|n| n.condition("Ready"))
        .is_some_and(|c| {
            let text = c.message.to_ascii_lowercase();
            c.status == "False" && (text.contains("cni") || text.contains("network"))
        })
}
