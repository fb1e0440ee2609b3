//! Nodes that do not work, and what they drag along.

use std::collections::BTreeSet;

use crate::kube::cluster::Cluster;
use crate::kube::moment::span;
use crate::kube::node::Node;
use crate::kube::{Condition, Key};
use crate::outcome::Severity;
use crate::phrase;

use super::fault::{Cause, Fault};
use super::population::Population;

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

/// The faults of all nodes.
pub fn faults(population: &Population<'_>) -> Vec<Fault> {
    population
        .cluster
        .nodes
        .values()
        .flat_map(|node| of_node(population, node))
        .collect()
}

fn of_node(population: &Population<'_>, node: &Node) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(how) = node.unready() {
        faults.push(down(population, node, how));
    } else {
        for pressure in node.pressures() {
            faults.push(pressed(node, pressure));
        }
    }
    for problem in &node.conditions {
        if problem.status == "True" && REPORTED_PROBLEMS.contains(&problem.kind.as_str()) {
            faults.push(reported(node, problem));
        }
    }
    faults
}

fn down(population: &Population<'_>, node: &Node, how: &str) -> Fault {
    let cluster = population.cluster;
    let ready = node.condition("Ready");
    let reason = ready.map_or("", |c| c.reason.as_str());
    let message = &ready.map_or_else(String::new, |c| phrase::said(&c.message));
    let why = why_down(reason, message);
    let title = format!("Node {} is {how}: {}", node.name, why.what);
    let mut fault = Fault::new(Cause::NodeDown, Severity::Critical, title);
    let since = ready.and_then(|c| c.since).map_or_else(String::new, |s| {
        let ago = cluster
            .age_s(Some(s))
            .map_or_else(String::new, |a| format!(", {} ago", span(a)));
        format!(" since {s}{ago}")
    });
    fault.explanation = format!("Node {} is {how}{since}: {}.", node.name, why.what);
    if !message.is_empty() {
        fault.explanation = format!(
            "{explanation} It says: {reason}: {message}.",
            explanation = fault.explanation
        );
    }
    fault.cure = format!("{} on {}", why.cure, node.name);
    fault
        .cure
        .push_str("; until it is back, its pods run nowhere or unseen.");
    fault.evidence.push(format!(
        "{}: Ready {} ({reason}){since}: {message}",
        node.name,
        ready.map_or("not reported", |c| c.status.as_str())
    ));
    mark(&mut fault, population, node);
    fault
}

struct WhyDown {
    what: &'static str,
    cure: &'static str,
}

fn why_down(reason: &str, message: &str) -> WhyDown {
    let text = message.to_ascii_lowercase();
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

/// Notes the node's pods that suffer: all but those that end with it anyway.
fn mark(fault: &mut Fault, population: &Population<'_>, node: &Node) {
    fault.nodes.insert(node.name.clone());
    let on_it: Vec<&crate::kube::pod::Pod> = population
        .cluster
        .pods
        .values()
        .filter(|p| p.node.as_ref() == Some(&node.name) && !p.is_over())
        .collect();
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
            .push(format!("pods on {} that suffer with it: {all}", node.name));
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
