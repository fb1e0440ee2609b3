//! Weighs the candidates: what each of the other explanations would need, and why it fails.

use std::collections::BTreeSet;

use crate::diagnose::Diagnosis;
use crate::diagnose::fault::{Cause, Fault};
use crate::diagnose::link;
use crate::kube::pod::Pod;
use crate::outcome::{Finding, Severity};
use crate::phrase;

/// Lines of one kind.
const MAX_LINES: usize = 12;
/// Events that mislead, named one by one.
const MAX_EVENTS: usize = 6;

/// Why the other candidates do not explain the primary fault.
pub fn finding(diagnosis: &Diagnosis<'_>, primary: usize) -> Finding {
    let fault = &diagnosis.faults[primary];
    let mut lines = ruled_out(diagnosis, fault);
    lines.extend(others(diagnosis, primary));
    lines.extend(old_events(diagnosis));
    Finding::new(
        Severity::Info,
        "Why the other candidates do not explain it",
        "Each other explanation was held against the recorded objects.",
    )
    .with(lines)
}

fn pods<'d>(diagnosis: &'d Diagnosis<'_>, fault: &'d Fault) -> Vec<&'d Pod> {
    let all = &diagnosis.population.cluster.pods;
    fault.pods.iter().filter_map(|key| all.get(key)).collect()
}

/// The kinds of explanations that the objects exclude.
fn ruled_out(diagnosis: &Diagnosis<'_>, fault: &Fault) -> Vec<String> {
    let pods = pods(diagnosis, fault);
    let Some(first) = pods.first() else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if pods.iter().all(|p| p.node.is_none()) {
        lines.push(
            "image, crash, probe: not the cause, no container has been started yet".to_owned(),
        );
        lines.extend(volumes(diagnosis, &pods, fault));
        lines.extend(placement(first, fault));
    } else if pods.iter().all(|p| p.node.is_some()) {
        let nodes: BTreeSet<&str> = pods.iter().filter_map(|p| p.node.as_deref()).collect();
        let on = phrase::names(nodes, 4);
        lines.push(format!(
            "scheduling, room on the nodes: not the cause, placed on {on}"
        ));
        lines.extend(of_started(&pods, fault));
    }
    lines.extend(nodes(diagnosis, fault));
    lines
}

fn volumes(diagnosis: &Diagnosis<'_>, pods: &[&Pod], fault: &Fault) -> Option<String> {
    if fault.cause == Cause::Volume {
        return None;
    }
    let claims: Vec<_> = pods
        .iter()
        .flat_map(|p| {
            p.claims
                .iter()
                .map(|c| crate::schedule::storage::claim_key(p, c))
        })
        .collect();
    if claims.is_empty() {
        return Some("volumes: not the cause, the pods mount no claim".to_owned());
    }
    let known = &diagnosis.population.cluster.claims;
    let bound = claims
        .iter()
        .filter(|k| {
            known
                .get(k)
                .is_some_and(super::super::kube::storage::Claim::is_bound)
        })
        .count();
    Some(format!(
        "volumes: not the cause, {bound} of {} claims are bound, none stops the pods",
        claims.len()
    ))
}

fn placement(pod: &Pod, fault: &Fault) -> Option<String> {
    let rules = &pod.placement;
    let free = rules.node_labels.is_empty()
        && rules.node_affinity.is_none()
        && rules.near.is_empty()
        && rules.apart.is_empty()
        && rules.spread.is_empty();
    let other = !matches!(
        fault.cause,
        Cause::Selector | Cause::Apart | Cause::Near | Cause::Spread | Cause::Volume
    );
    (free && other).then(|| {
        "selectors, affinity, spread: not the cause, the pods have no such rule".to_owned()
    })
}

fn of_started(pods: &[&Pod], fault: &Fault) -> Vec<String> {
    let mut lines = Vec::new();
    let containers = || pods.iter().flat_map(|p| p.all_containers());
    let pulled = containers().all(|c| c.is_running() || c.ended().is_some());
    if pulled && fault.cause != Cause::Image {
        lines.push("image: not the cause, it was pulled and started".to_owned());
    }
    let killed = containers().any(|c| c.ended().is_some_and(|e| e.reason == "OOMKilled"));
    let ended = containers().any(|c| c.ended().is_some());
    if ended && !killed {
        lines.push("memory: not the cause, no container was OOMKilled".to_owned());
    }
    lines
}

fn nodes(diagnosis: &Diagnosis<'_>, fault: &Fault) -> Option<String> {
    let all = &diagnosis.population.cluster.nodes;
    if all.is_empty() || matches!(fault.cause, Cause::NodeDown | Cause::NodePressure) {
        return None;
    }
    let of_pods: BTreeSet<&str> = pods(diagnosis, fault)
        .iter()
        .filter_map(|p| p.node.as_deref())
        .collect();
    let looked: Vec<_> = all
        .values()
        .filter(|n| of_pods.is_empty() || of_pods.contains(n.name.as_str()))
        .collect();
    let ill: Vec<_> = looked
        .iter()
        .filter(|n| n.unready().is_some() || !n.pressures().is_empty())
        .map(|n| &n.name)
        .collect();
    if !ill.is_empty() {
        return None;
    }
    Some(format!(
        "node health: not the cause, {} ready without pressure",
        match looked.len() {
            1 => format!("{} is", looked[0].name),
            n => format!("all {n} nodes are"),
        }
    ))
}

/// The other faults, and why they are not the cause.
fn others(diagnosis: &Diagnosis<'_>, primary: usize) -> Vec<String> {
    let faults = &diagnosis.faults;
    let chain = link::chain(faults, primary);
    let root = link::root(faults, primary);
    let mine = &faults[primary];
    let others = faults
        .iter()
        .enumerate()
        .filter(|(i, f)| f.is_present() && !chain.contains(i));
    others
        .map(|(index, other)| {
            let title = phrase::line(&other.title, 150);
            if link::chain(faults, index).contains(&root) {
                return format!("{title}: a consequence of the same root cause");
            }
            let why = if mine.pods.is_disjoint(&other.pods) {
                let of_node = matches!(other.cause, Cause::NodeDown | Cause::NodePressure);
                if of_node && !mine.pods.is_empty() {
                    "a fault of its own: none of the pods in question runs there or would be \
                     placed there"
                } else if other.cause == Cause::Volume {
                    "a fault of its own: the pods in question mount no such claim"
                } else {
                    "a fault of its own: it touches other pods"
                }
            } else {
                "it touches the same pods, but comes after the root cause or beside it"
            };
            format!("{title}: {why}")
        })
        .take(MAX_LINES)
        .collect()
}

/// Warnings about objects that are well now.
fn old_events(diagnosis: &Diagnosis<'_>) -> Vec<String> {
    let cluster = diagnosis.population.cluster;
    let suffering: BTreeSet<_> = diagnosis.present().flat_map(|f| f.pods.iter()).collect();
    let old: Vec<_> = cluster
        .events
        .iter()
        .filter(|e| e.is_warning && e.kind == "Pod" && !suffering.contains(&e.object))
        .collect();
    let mut lines: Vec<String> = old
        .iter()
        .rev()
        .take(MAX_EVENTS)
        .map(|e| {
            let now = match cluster.pods.get(&e.object) {
                None => "a pod that is gone".to_owned(),
                Some(pod) => match (&pod.node, pod.is_ready()) {
                    (Some(node), true) => format!("it is ready on {node} now"),
                    (Some(node), false) => format!("it is on {node} now"),
                    (None, _) => "it is no part of this".to_owned(),
                },
            };
            format!("old event {} of {}: no evidence, {now}", e.reason, e.object)
        })
        .collect();
    if old.len() > lines.len() {
        lines.push(format!(
            "and {}",
            phrase::count(old.len() - lines.len(), "more old event")
        ));
    }
    lines
}
