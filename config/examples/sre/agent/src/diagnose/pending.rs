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
use crate::phrase;
use crate::schedule::pack::settle;
use crate::schedule::refusal::Obstacle;
use crate::schedule::verdict::Verdict;
use crate::schedule::world::{World, unplaced};

use super::fault::{Cause, Fault};
use super::population::Population;
use super::symptom::{self, Symptom};
use super::{claims, obstacle, room};

/// A pod that was made less than this ago may simply not have been looked at yet.
const UNSEEN_S: i64 = 60;

/// Equal pods of one workload that wait for a node.
#[derive(Debug)]
pub struct Group<'a> {
    /// The workload.
    pub id: WorkloadId,
    /// The pods, at least one.
    pub pods: Vec<&'a Pod>,
    /// What the nodes say to any of them.
    pub verdict: Verdict,
    /// How many of them would fit when one family of reasons did not count, and where.
    pub without: BTreeMap<Obstacle, (usize, BTreeSet<usize>)>,
}

impl Group<'_> {
    /// `it` or `them`.
    pub fn it(&self) -> &'static str {
        if self.pods.len() == 1 { "it" } else { "them" }
    }

    /// `it asks` or `each asks`.
    pub fn asks(&self) -> &'static str {
        if self.pods.len() == 1 {
            "it asks"
        } else {
            "each asks"
        }
    }

    /// Would all of them fit without this family of reasons?
    pub fn is_cured_without(&self, obstacle: Obstacle) -> bool {
        self.without
            .get(&obstacle)
            .is_some_and(|(placed, _)| *placed == self.pods.len())
    }
}

/// The faults of all pods that wait for a node.
pub fn faults(population: &Population<'_>) -> Vec<Fault> {
    let cluster = population.cluster;
    let world = World::of(cluster);
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
    let (world, settled) = settle(&world, &waiting, &[]);
    let places: BTreeMap<_, _> = settled.into_iter().collect();
    let (fitting, refused): (Vec<&Pod>, Vec<&Pod>) =
        waiting.iter().partition(|p| places.contains_key(&p.key));
    for pod in fitting {
        let node = &world.slots[places[&pod.key]].node.name;
        simple.extend(fits(cluster, pod, node).map(|s| (pod, s)));
    }
    let mut faults = symptom::faults(population, simple);
    let groups = groups(population, &world, &refused);
    let cures = room::cures(&world, &groups);
    for (index, group) in groups.iter().enumerate() {
        faults.push(obstacle::fault(
            population,
            &world,
            group,
            cures.get(&index),
        ));
    }
    faults
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
    if pod.condition("PodScheduled").is_some() {
        return None;
    }
    let said = cluster
        .events_of(pod)
        .any(|e| e.reason == "FailedScheduling");
    let age_s = cluster.age_s(pod.created).unwrap_or(UNSEEN_S);
    if said || (age_s < UNSEEN_S && pod.scheduler == DEFAULT_SCHEDULER) {
        return None;
    }
    let scheduler = &pod.scheduler;
    let why = if scheduler == DEFAULT_SCHEDULER {
        scheduler_state(cluster)
    } else {
        format!("no running pod is named after {scheduler}")
    };
    let running = cluster
        .pods
        .values()
        .any(|p| p.is_ready() && p.key.name.contains(scheduler.as_str()));
    let why = if running {
        "a pod of that name runs, but says nothing".to_owned()
    } else {
        why
    };
    Some(
        Symptom::new(
            Cause::Scheduler,
            scheduler.clone(),
            format!("Pending: scheduler {scheduler} has not looked at it"),
        )
        .because(
            format!(
                "The pod has waited {} for scheduler {scheduler} (schedulerName), which has said \
                 nothing about it: {why}.",
                span(age_s)
            ),
            if scheduler == DEFAULT_SCHEDULER {
                "Look at kube-scheduler on the control plane.".to_owned()
            } else {
                format!("Start scheduler {scheduler}, or take schedulerName out of the pod.")
            },
        )
        .seen([format!(
            "{}: schedulerName {scheduler}, no PodScheduled condition",
            pod.key
        )]),
    )
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
        return (age_s < UNSEEN_S).then_some(young);
    };
    // The recording has no claims: what the scheduler says about them is all there is.
    if said.contains("PersistentVolumeClaim") || said.contains("persistentvolumeclaim") {
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

/// Equal pods with equal answers of the nodes, together.
fn groups<'a>(
    population: &Population<'_>,
    world: &World<'a>,
    refused: &[&'a Pod],
) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<(WorkloadId, String), Vec<&'a Pod>> = BTreeMap::new();
    let mut verdicts: BTreeMap<(WorkloadId, String), Verdict> = BTreeMap::new();
    let mut known: BTreeMap<String, Verdict> = BTreeMap::new();
    for pod in refused {
        let wishes = format!(
            "{:?} {:?} {:?} {:?} {:?} {} {}",
            pod.requests,
            pod.placement,
            pod.claims,
            pod.labels,
            pod.host_ports(),
            pod.priority,
            pod.key.namespace
        );
        let verdict = known
            .entry(wishes)
            .or_insert_with(|| Verdict::of(world, pod))
            .clone();
        let key = (
            population.workload(pod),
            format!("{} {:?}", verdict.shown(), pod.requests),
        );
        groups.entry(key.clone()).or_default().push(pod);
        verdicts.entry(key).or_insert(verdict);
    }
    groups
        .into_iter()
        .zip(verdicts.into_values())
        .map(|(((id, _), pods), verdict)| {
            let without = without(world, &pods, &verdict);
            Group {
                id,
                pods,
                verdict,
                without,
            }
        })
        .collect()
}

/// What would come of it if one family of reasons did not count.
fn without<'a>(
    world: &World<'a>,
    pods: &[&'a Pod],
    verdict: &Verdict,
) -> BTreeMap<Obstacle, (usize, BTreeSet<usize>)> {
    let present: BTreeSet<Obstacle> = verdict
        .answers
        .iter()
        .flat_map(|a| a.refusals.iter().map(|r| r.obstacle))
        .filter(|o| *o != Obstacle::Room)
        .collect();
    present
        .into_iter()
        .map(|obstacle| {
            // When a node comes back, the pods that are being deleted on it go at last.
            let relieved = (obstacle == Obstacle::Health).then(|| world.relieved());
            let (_, settled) = settle(relieved.as_ref().unwrap_or(world), pods, &[obstacle]);
            let nodes = settled.iter().map(|(_, slot)| *slot).collect();
            (obstacle, (settled.len(), nodes))
        })
        .collect()
}
