//! Pods that no node has been found for: which nodes refuse them, why, and what would cure it.
//!
//! ```text
//!   waiting pods ─ gated? ─ unwatched? ─ claims? ─► put those that fit ─► groups of equal pods
//!                                                                             │ verdict of all nodes
//!                                     one fault for each group ◄── main obstacle ┘
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::kube::cluster::Cluster;
use crate::kube::moment::span;
use crate::kube::pod::{DEFAULT_SCHEDULER, Pod};
use crate::kube::workload::WorkloadId;
use crate::outcome::Severity;
use crate::phrase;
use crate::schedule::pack::settle;
use crate::schedule::storage::claim_key;
use crate::schedule::world::{World, unplaced};

use super::fault::{Cause, Fault};
use super::focus::Focus;
use super::population::Population;
use super::symptom::{self, Symptom};
use super::{claims, groups, obstacle, room};

/// A pod that was made less than this ago may simply not have been looked at yet.
const UNSEEN_S: i64 = 60;

/// The faults of all pods that wait for a node; what the brief speaks of is looked at first.
pub fn faults(population: &Population<'_>, focus: &Focus) -> Vec<Fault> {
    let cluster = population.cluster;
    let mut world = World::of(cluster);
    let mut simple = Vec::new();
    let mut waiting: Vec<&Pod> = Vec::new();
    for (_, pod) in unplaced(cluster) {
        if let Some(symptom) = unseen(cluster, pod) {
            simple.push((pod, symptom));
        } else if world.slots.is_empty() {
            simple.extend(by_word(pod).map(|s| (pod, s)));
        } else if claims::awaited(cluster, pod).is_empty() {
            waiting.push(pod);
        }
    }
    // As the scheduler takes them: by priority, then by age.
    waiting.sort_by(|a, b| {
        b.priority
            .cmp(&a.priority)
            .then_with(|| a.created.cmp(&b.created))
            .then_with(|| a.key.cmp(&b.key))
    });
    let places: BTreeMap<_, _> = settle(&mut world, &waiting, &[]).into_iter().collect();
    let (fitting, refused): (Vec<&Pod>, Vec<&Pod>) =
        waiting.iter().partition(|p| places.contains_key(&p.key));
    for pod in fitting {
        let node = &world.slots[places[&pod.key]].node.name;
        simple.extend(fits(cluster, pod, node).map(|s| (pod, s)));
    }
    let mut faults = symptom::faults(population, simple);
    let (groups, more) = groups::of(population, focus, &mut world, &refused);
    let cures = room::cures(&mut world, &groups);
    for (index, group) in groups.iter().enumerate() {
        faults.push(obstacle::fault(
            population,
            &world,
            group,
            cures.get(&index),
        ));
    }
    faults.extend(unexamined(population, &more));
    faults
}

/// Pods beyond the groups that are looked at one by one.
fn unexamined(population: &Population<'_>, pods: &[&Pod]) -> Option<Fault> {
    let workloads: BTreeSet<WorkloadId> = pods.iter().map(|p| population.workload(p)).collect();
    let first = workloads.first()?;
    let title = format!(
        "{} of {} wait for a node as well, {first} among them",
        phrase::count(pods.len(), "more pod"),
        phrase::count(workloads.len(), "workload")
    );
    let mut fault = Fault::new(Cause::Unexplained, Severity::Warning, title);
    fault.explanation = "So many workloads wait that only the largest were held against every \
                         node."
        .into();
    fault.cure = "Cure the others first, then record the cluster again.".into();
    fault.pods = pods.iter().map(|p| p.key.clone()).collect();
    fault.workloads = workloads;
    fault.confidence = 0.5;
    Some(fault)
}

/// Pods that the scheduler does not look at, and why.
fn unseen(cluster: &Cluster, pod: &Pod) -> Option<Symptom> {
    if !pod.gates.is_empty() {
        let gates = phrase::names(&pod.gates, 5);
        return Some(
            Symptom::new(
                Cause::Gate,
                gates.clone(),
                format!("Pending: scheduling gate {gates} is closed"),
            )
            .because(
                format!(
                    "The pod carries the scheduling gate {gates} (SchedulingGated): the scheduler \
                     does not look at it until the controller that set the gate takes it away. \
                     Nodes and room play no part."
                ),
                format!("Look at the controller that owns {gates} (a queue or quota system)."),
            )
            .seen([format!("{}: schedulingGates {gates}", pod.key)]),
        );
    }
    let said = pod.condition("PodScheduled").is_some()
        || cluster
            .events_of(pod)
            .any(|e| e.reason == "FailedScheduling");
    (!said && pod.scheduler != DEFAULT_SCHEDULER).then(|| silent(cluster, pod))
}

/// A pod of which its scheduler has said nothing.
fn silent(cluster: &Cluster, pod: &Pod) -> Symptom {
    let scheduler = &pod.scheduler;
    let is_its = |p: &&Pod| p.is_ready() && p.key.name.contains(scheduler.as_str());
    let (why, cure) = if scheduler == DEFAULT_SCHEDULER {
        (
            scheduler_state(cluster),
            "Look at kube-scheduler on the control plane.".to_owned(),
        )
    } else if cluster.pods.values().any(|p| is_its(&p)) {
        (
            "a pod of that name runs, but says nothing".to_owned(),
            format!("Look at the log of scheduler {scheduler}."),
        )
    } else {
        (
            format!("no running pod is named after {scheduler}"),
            format!("Start scheduler {scheduler}, or take schedulerName out of the pod."),
        )
    };
    let waited = cluster
        .age_s(pod.created)
        .map_or_else(String::new, |s| format!(" {}", span(s)));
    Symptom::new(
        Cause::Scheduler,
        scheduler.clone(),
        format!("Pending: scheduler {scheduler} has not looked at it"),
    )
    .because(
        format!(
            "The pod has waited{waited} for scheduler {scheduler} (schedulerName), which has said \
             nothing about it: {why}."
        ),
        cure,
    )
    .seen([format!(
        "{}: schedulerName {scheduler}, no PodScheduled condition",
        pod.key
    )])
}

fn scheduler_state(cluster: &Cluster) -> String {
    let mut pods = cluster
        .pods
        .values()
        .filter(|p| p.key.name.starts_with("kube-scheduler"));
    match pods.find(|p| !p.is_ready()) {
        Some(pod) => format!("its pod {} is not ready", pod.key),
        None => "it is down, or cannot reach the API server".to_owned(),
    }
}

/// Without recorded nodes only the scheduler's own words are left.
fn by_word(pod: &Pod) -> Option<Symptom> {
    let condition = pod
        .condition("PodScheduled")
        .filter(|c| c.status == "False")?;
    let text = condition.message.trim();
    let causes = [
        ("unbound immediate", Cause::Volume),
        ("persistentvolumeclaim", Cause::Volume),
        ("Insufficient", Cause::Shortage),
        ("Too many pods", Cause::Shortage),
        ("anti-affinity", Cause::Apart),
        ("topology spread", Cause::Spread),
        ("affinity/selector", Cause::Selector),
        ("node selector", Cause::Selector),
        ("taint", Cause::Taint),
        ("unschedulable", Cause::Cordon),
    ];
    let cause = causes
        .iter()
        .find(|(word, _)| text.contains(word))
        .map(|(_, c)| *c);
    let mut symptom = Symptom::new(
        cause.unwrap_or(Cause::Unexplained),
        text,
        format!("Pending: {}", phrase::line(text, 120)),
    )
    .because(
        format!(
            "The scheduler says: {text} The recording lacks the objects that this speaks of, so it \
             could not be checked."
        ),
        "Record them as well (kubectl get nodes,pods,pvc,pv,events,storageclass -A -o json).",
    )
    .seen([format!("{}: {text}", pod.key)]);
    symptom.confidence = 0.5;
    symptom.objects = pod.claims.iter().map(|c| c.claim.clone()).collect();
    Some(symptom)
}

/// A pod that would fit by what was recorded, but waits.
fn fits(cluster: &Cluster, pod: &Pod, node: &str) -> Option<Symptom> {
    let said = pod
        .condition("PodScheduled")
        .filter(|c| c.status == "False")
        .map(|c| c.message.trim())
        .filter(|m| !m.is_empty());
    if let Some(nominated) = &pod.nominated {
        return Some(
            Symptom::new(
                Cause::Unexplained,
                format!("nominated:{nominated}"),
                format!("Pending: waits for lesser pods to end on {nominated} (preemption)"),
            )
            .because(
                format!(
                    "The scheduler has chosen {nominated} (nominatedNodeName) and is ending pods \
                     of lower priority there; the pod (priority {}) follows when they are gone.",
                    pod.priority
                ),
                "Wait for the end of the pods that are being pushed away.",
            ),
        );
    }
    let age_s = cluster.age_s(pod.created).unwrap_or(UNSEEN_S);
    let Some(said) = said else {
        let mut young = Symptom::new(Cause::History, "new", "Pending: it was only just made");
        young.is_over = true;
        return Some(if age_s < UNSEEN_S {
            young
        } else {
            silent(cluster, pod)
        });
    };
    // Claims that were not recorded: what the scheduler says about them is all there is.
    let unknown = pod
        .claims
        .iter()
        .any(|used| !cluster.claims.contains_key(&claim_key(pod, used)));
    if unknown && said.to_ascii_lowercase().contains("persistentvolumeclaim") {
        return by_word(pod);
    }
    let mut symptom = Symptom::new(
        Cause::Unexplained,
        "fits",
        format!("Pending, though {node} would take it by what was recorded"),
    )
    .because(
        format!(
            "By the recorded objects {node} has room and passes every rule of the pod; the \
             scheduler's last words are older or know something that was not recorded: {said}"
        ),
        "Record the cluster again; if the pod still waits, look at the scheduler's log.",
    )
    .seen([
        format!("{}: would fit on {node}", pod.key),
        format!("{}: scheduler: {said}", pod.key),
    ]);
    symptom.confidence = 0.4;
    Some(symptom)
}
