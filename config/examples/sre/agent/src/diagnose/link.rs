//! Cause and consequence between faults.
//!
//! # Invariant
//! The links form no circle: a fault that explains another is never explained by it.

use std::collections::BTreeSet;

use crate::kube::cluster::Cluster;
use crate::kube::pod::Pod;
use crate::phrase;

use super::fault::{Cause, Fault};
use super::nodes::{is_network_pod, lacks_network};

/// Finds for each fault the one that it follows from, if there is one.
pub fn link(cluster: &Cluster, faults: &mut [Fault]) {
    for index in 0..faults.len() {
        // An eviction that is over is still explained by a pressure that is not.
        if !faults[index].is_present() && faults[index].cause != Cause::Evicted {
            continue;
        }
        let found = rules().iter().find_map(|rule| {
            let (by, how) = rule.0(cluster, faults, index)?;
            (by != index && !leads_to(faults, by, index)).then_some((by, how, rule.1))
        });
        if let Some((by, how, confidence)) = found {
            faults[index].follows_from = Some(by);
            faults[index].link = how;
            faults[index].link_confidence = confidence;
        }
    }
    note_shared_registries(faults);
}

/// Does the chain of causes from `start` reach `end`?
fn leads_to(faults: &[Fault], start: usize, end: usize) -> bool {
    root(faults, start) == end || chain(faults, start).contains(&end)
}

/// The fault and all that it follows from, nearest first.
pub fn chain(faults: &[Fault], start: usize) -> Vec<usize> {
    let mut chain = vec![start];
    while let Some(next) = faults[chain[chain.len() - 1]].follows_from {
        if chain.contains(&next) {
            break;
        }
        chain.push(next);
    }
    chain
}

/// The last fault of the chain: the one that explains the others.
pub fn root(faults: &[Fault], start: usize) -> usize {
    *chain(faults, start).last().unwrap_or(&start)
}

type Rule = fn(&Cluster, &[Fault], usize) -> Option<(usize, String)>;

/// The rules, each with how sure it is.
fn rules() -> [(Rule, f64); 7] {
    [
        (by_ill_node, 0.95),
        (by_awaited_node, 0.95),
        (by_network_pod, 0.9),
        (by_pressure, 0.95),
        (by_provisioner, 0.8),
        (by_scheduler, 0.9),
        (by_word, 0.75),
    ]
}

fn pods<'c>(cluster: &'c Cluster, fault: &'c Fault) -> impl Iterator<Item = &'c Pod> {
    fault.pods.iter().filter_map(|key| cluster.pods.get(key))
}

fn find(faults: &[Fault], fits: impl Fn(&Fault) -> bool) -> Option<usize> {
    faults.iter().position(|f| f.is_present() && fits(f))
}

/// What pods show whose node does not work.
fn by_ill_node(cluster: &Cluster, faults: &[Fault], index: usize) -> Option<(usize, String)> {
    let fault = &faults[index];
    let passive = matches!(
        fault.cause,
        Cause::Readiness | Cause::Terminating | Cause::Unexplained | Cause::Sandbox | Cause::Mount
    );
    if !passive {
        return None;
    }
    let mut nodes: BTreeSet<&str> = pods(cluster, fault)
        .filter_map(|p| p.node.as_deref())
        .collect();
    if fault.cause == Cause::Mount {
        // A volume is held by a pod on another node: that node counts.
        let held = pods(cluster, fault).flat_map(|p| {
            p.claims
                .iter()
                .filter_map(|c| crate::schedule::storage::other_user(cluster, p, &c.claim))
        });
        nodes.extend(held.filter_map(|p| p.node.as_deref()));
    }
    let by = find(faults, |f| {
        f.cause == Cause::NodeDown && f.nodes.iter().any(|n| nodes.contains(n.as_str()))
    })?;
    let all_there = pods(cluster, fault).all(|p| {
        p.node
            .as_ref()
            .is_some_and(|n| faults[by].nodes.contains(n))
    });
    let node = phrase::names(&faults[by].nodes, 3);
    (all_there || fault.cause == Cause::Mount).then(|| (by, format!("node {node} does not work")))
}

fn by_awaited_node(_: &Cluster, faults: &[Fault], index: usize) -> Option<(usize, String)> {
    let awaited = &faults[index].awaits_nodes;
    let by = find(faults, |f| {
        matches!(f.cause, Cause::NodeDown | Cause::NodePressure)
            && f.nodes.iter().any(|n| awaited.contains(n))
    })?;
    Some((
        by,
        format!(
            "{} would take the pods if it were well",
            phrase::names(awaited, 3)
        ),
    ))
}

/// A node without network, or pods without it, because the network's own pod fails there.
fn by_network_pod(cluster: &Cluster, faults: &[Fault], index: usize) -> Option<(usize, String)> {
    let fault = &faults[index];
    let nodes: BTreeSet<&str> = if fault.cause == Cause::NodeDown {
        let own = fault.nodes.iter().map(String::as_str);
        own.filter(|n| lacks_network(cluster, n)).collect()
    } else if fault.cause == Cause::Sandbox {
        pods(cluster, fault)
            .filter_map(|p| p.node.as_deref())
            .collect()
    } else {
        return None;
    };
    let by = find(faults, |f| {
        f.cause > Cause::NodePressure
            && f.cause != Cause::Readiness
            && pods(cluster, f).any(|p| {
                is_network_pod(&p.key.name) && p.node.as_deref().is_some_and(|n| nodes.contains(n))
            })
    })?;
    Some((
        by,
        "the network plugin's own pod fails on that node".to_owned(),
    ))
}

fn by_pressure(cluster: &Cluster, faults: &[Fault], index: usize) -> Option<(usize, String)> {
    let fault = &faults[index];
    if !matches!(fault.cause, Cause::Evicted | Cause::Image) {
        return None;
    }
    let nodes: BTreeSet<&str> = pods(cluster, fault)
        .filter_map(|p| p.node.as_deref())
        .collect();
    let disk_only = fault.cause == Cause::Image;
    if disk_only && !fault.explanation.contains("disk is full") {
        return None;
    }
    let by = find(faults, |f| {
        matches!(f.cause, Cause::NodePressure | Cause::NodeDown)
            && f.nodes.iter().any(|n| nodes.contains(n.as_str()))
    })?;
    Some((
        by,
        format!("{} is under pressure", phrase::names(&faults[by].nodes, 3)),
    ))
}

/// A claim without a volume because the pods that make volumes fail.
fn by_provisioner(cluster: &Cluster, faults: &[Fault], index: usize) -> Option<(usize, String)> {
    const GENERIC: [&str; 10] = [
        "csi",
        "com",
        "io",
        "k8s",
        "kubernetes",
        "org",
        "driver",
        "storage",
        "net",
        "example",
    ];
    let fault = &faults[index];
    if !matches!(fault.cause, Cause::Volume | Cause::Mount) {
        return None;
    }
    let classes: Vec<&str> = fault
        .objects
        .iter()
        .filter_map(|name| {
            let claim = cluster.claims.values().find(|c| c.key.name == *name)?;
            crate::schedule::storage::class_of(cluster, claim).map(|c| c.provisioner.as_str())
        })
        .collect();
    let words: BTreeSet<&str> = classes
        .iter()
        .flat_map(|p| p.split(['.', '/', '-']))
        .filter(|w| w.len() >= 3 && !GENERIC.contains(w))
        .collect();
    let by = find(faults, |f| {
        f.cause != Cause::Volume
            && f.pods.iter().any(|p| {
                let own: BTreeSet<&str> = p.name.split('-').collect();
                (own.contains("csi") || own.contains("provisioner")) && !own.is_disjoint(&words)
            })
    })?;
    Some((by, "the pods of its provisioner fail".to_owned()))
}

fn by_scheduler(_: &Cluster, faults: &[Fault], index: usize) -> Option<(usize, String)> {
    if faults[index].cause != Cause::Scheduler {
        return None;
    }
    let by = find(faults, |f| {
        f.pods.iter().any(|p| p.name.starts_with("kube-scheduler"))
    })?;
    Some((by, "the scheduler's own pod fails".to_owned()))
}

/// What programs of many kinds say when a name cannot be resolved.
const UNRESOLVED: [&str; 10] = [
    "no such host",
    "name resolution",
    "lookup ",
    "unknownhost",
    "name or service not known",
    "getaddrinfo",
    "enotfound",
    "eai_again",
    "could not resolve",
    "nodename nor servname",
];

/// Last words and probe answers that name another workload which fails itself, or name resolution.
fn by_word(cluster: &Cluster, faults: &[Fault], index: usize) -> Option<(usize, String)> {
    /// Shorter names are too often words of other meaning.
    const MIN_NAME: usize = 4;
    let fault = &faults[index];
    if !matches!(
        fault.cause,
        Cause::Crash
            | Cause::Init
            | Cause::Readiness
            | Cause::Liveness
            | Cause::Failed
            | Cause::Creation
    ) {
        return None;
    }
    let said: Vec<&str> = fault
        .evidence
        .iter()
        .filter_map(|line| {
            ["last words: ", "probe failed: ", " runs: ", "webhook "]
                .iter()
                .find_map(|mark| line.split_once(mark).map(|(_, rest)| rest))
        })
        .collect();
    let words: BTreeSet<String> = said
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-'))
        .map(str::to_ascii_lowercase)
        .collect();
    let named = find(faults, |f| {
        f.workloads.is_disjoint(&fault.workloads)
            && f.workloads
                .iter()
                .any(|w| w.key.name.len() >= MIN_NAME && words.contains(&w.key.name))
    });
    if let Some(by) = named {
        let name = phrase::names(faults[by].workloads.iter().map(|w| &w.key.name), 2);
        let who = if fault.cause == Cause::Creation {
            "the webhook that is asked first is served by"
        } else {
            "its own words name"
        };
        return Some((by, format!("{who} {name}, which fails itself")));
    }
    let unresolved = said.iter().any(|text| {
        let text = text.to_ascii_lowercase();
        UNRESOLVED.iter().any(|words| text.contains(words))
    });
    let by = find(faults, |f| {
        f.pods
            .iter()
            .any(|p| p.name.starts_with("coredns") || p.name.starts_with("kube-dns"))
    })
    .filter(|_| unresolved && cluster.pods.len() > 1)?;
    Some((
        by,
        "it cannot resolve names, and the cluster's DNS fails".to_owned(),
    ))
}

/// Several workloads that one registry refuses have one cause outside the cluster.
fn note_shared_registries(faults: &mut [Fault]) {
    let registry = |f: &Fault| {
        f.objects
            .iter()
            .find(|o| o.starts_with("registry "))
            .cloned()
    };
    let all: Vec<Option<String>> = faults.iter().map(registry).collect();
    for (index, fault) in faults.iter_mut().enumerate() {
        let same = all
            .iter()
            .filter(|r| r.is_some() && **r == all[index])
            .count();
        if let Some(registry) = all[index].as_ref().filter(|_| same > 1) {
            fault.explanation = format!(
                "{explanation} The same {registry} fails {same} workloads, so the fault is there and not in one \
                 image.",
                explanation = fault.explanation
            );
        }
    }
}
