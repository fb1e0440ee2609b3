//! Pods that are never made: quotas that are used up, admission that says no, scaling to zero.

use std::collections::BTreeMap;

use crate::kube::Key;
use crate::kube::event::Event;
use crate::kube::pod::Pod;
use crate::kube::workload::{Workload, WorkloadId, without_hash};
use crate::outcome::Severity;
use crate::phrase;

use super::fault::{Cause, Fault};
use super::population::Population;

/// The controllers of which creation events speak.
pub const CREATORS: [&str; 5] = [
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "ReplicationController",
];

/// The last failure and the last success of a controller.
type FailedAndDone<'e> = (Option<&'e Event>, Option<&'e Event>);

/// Somebody said that a controller's pods cannot be created.
struct Complaint<'a> {
    kind: &'a str,
    key: &'a Key,
    /// What was said.
    text: &'a str,
    /// The same with its time, as evidence.
    line: String,
}

/// Workloads whose pods cannot be created.
pub fn faults(population: &Population<'_>) -> Vec<Fault> {
    let cluster = population.cluster;
    let mut last: BTreeMap<(&str, &Key), FailedAndDone<'_>> = BTreeMap::new();
    for event in cluster
        .events
        .iter()
        .filter(|e| CREATORS.contains(&e.kind.as_str()))
    {
        let both = last.entry((&event.kind, &event.object)).or_default();
        match event.reason.as_str() {
            "FailedCreate" => both.0 = Some(event),
            "SuccessfulCreate" | "SuccessfulDelete" => both.1 = Some(event),
            _ => {}
        }
    }
    let mut complaints: BTreeMap<(&str, &Key), Complaint<'_>> = BTreeMap::new();
    for ((kind, key), (failed, success)) in last {
        let Some(failed) = failed else { continue };
        if lacks_pods(population, kind, key).unwrap_or(success.is_none_or(|s| s.last < failed.last))
        {
            let (text, line) = (failed.message.as_str(), failed.shown());
            complaints.insert(
                (kind, key),
                Complaint {
                    kind,
                    key,
                    text,
                    line,
                },
            );
        }
    }
    // The event is forgotten after an hour, the condition is not.
    for workload in cluster
        .workloads
        .values()
        .filter(|w| w.id.kind == "ReplicaSet")
    {
        let said = workload
            .conditions
            .iter()
            .find(|c| c.kind == "ReplicaFailure");
        let (kind, key) = (workload.id.kind.as_str(), &workload.id.key);
        if let Some(said) = said.filter(|c| c.status == "True") {
            let line = format!("condition ReplicaFailure {}: {}", said.reason, said.message);
            let text = said.message.as_str();
            complaints.entry((kind, key)).or_insert(Complaint {
                kind,
                key,
                text,
                line,
            });
        }
    }
    complaints.values().map(|c| fault(population, c)).collect()
}

/// The workload that people know a controller by: the deployment of a replica set.
pub fn shown(kind: &str, key: &Key) -> WorkloadId {
    let name = match kind {
        "ReplicaSet" => without_hash(&key.name, None).unwrap_or(&key.name),
        _ => &key.name,
    };
    let kind = if name == key.name { kind } else { "Deployment" };
    WorkloadId {
        key: Key::new(&key.namespace, name),
        kind: kind.to_owned(),
    }
}

/// Does the controller lack pods, by its own numbers? None when these were not recorded.
fn lacks_pods(population: &Population<'_>, kind: &str, key: &Key) -> Option<bool> {
    let id = WorkloadId {
        key: key.clone(),
        kind: kind.to_owned(),
    };
    let desired = population
        .cluster
        .workloads
        .get(&id)
        .and_then(|w| w.desired)?;
    let is_own = |p: &&Pod| {
        p.key.namespace == key.namespace
            && !p.is_over()
            && p.owner
                .as_ref()
                .is_some_and(|o| o.kind == kind && o.name == key.name)
    };
    let made = population.cluster.pods.values().filter(is_own).count();
    (kind != "Job").then(|| i64::try_from(made).unwrap_or(i64::MAX) < desired)
}

fn fault(population: &Population<'_>, complaint: &Complaint<'_>) -> Fault {
    let Complaint {
        kind,
        key,
        text,
        line,
    } = complaint;
    let id = shown(kind, key);
    let text = &phrase::said(text);
    let (what, cure) = refusal(text, &key.namespace);
    let severity = population.severity([&id]);
    let title = format!("{id}: its pods cannot be created: {what}");
    let mut fault = Fault::new(Cause::Creation, severity, title);
    fault.explanation = format!("{kind} {key} wants more pods than it has, but {what}: {text}.");
    fault.cure = cure;
    fault.evidence.push(format!("{kind} {key}: {line}"));
    for (quota_key, quota) in &population.cluster.quotas {
        if quota_key.namespace != key.namespace || !text.contains(&quota_key.name) {
            continue;
        }
        fault.objects.insert(quota_key.name.clone());
        for (resource, hard) in quota.hard.iter() {
            let (used, hard) = (
                quota.used.get(resource).shown(resource),
                hard.shown(resource),
            );
            fault
                .evidence
                .push(format!("quota {quota_key}: {resource} {used} of {hard}"));
        }
    }
    fault.workloads.insert(id);
    fault.objects.insert(key.name.clone());
    fault
}

/// Workloads that have fewer pods than they want though nothing else is known to be wrong.
pub fn unexplained(population: &Population<'_>, known: &[Fault]) -> Vec<Fault> {
    let cluster = population.cluster;
    if !cluster.has_recorded("Pod") {
        return Vec::new();
    }
    let is_top = |w: &&Workload| w.owner.is_none() && !w.is_suspended && w.id.kind != "Job";
    let lacking = cluster.workloads.values().filter(is_top).filter_map(|w| {
        let standing = population.standing(&w.id);
        let desired = standing.desired.filter(|d| *d > standing.alive)?;
        let explained = known
            .iter()
            .any(|f| f.is_present() && f.workloads.contains(&w.id));
        (!explained).then_some((w, desired, standing.alive))
    });
    lacking
        .map(|(workload, desired, alive)| {
            let (id, wants) = (&workload.id, phrase::count(desired, "pod"));
            let title = format!("{id} wants {wants} but only {alive} exist");
            let mut fault = Fault::new(Cause::Unexplained, population.severity([id]), title);
            fault.explanation = format!(
                "{id} wants {wants} but only {alive} exist, and nothing in the recording says why: \
                 it was changed a moment ago, or the controller manager does not act on it."
            );
            fault.cure =
                format!("Look at `kubectl describe` of {id} and at the controller manager.");
            fault
                .evidence
                .push(format!("{id}: desired {desired}, existing {alive}"));
            fault.workloads.insert(id.clone());
            fault.confidence = 0.6;
            fault
        })
        .collect()
}

/// Who refuses the pods, and what to do.
fn refusal(text: &str, namespace: &str) -> (String, String) {
    let lower = text.to_ascii_lowercase();
    if lower.contains("exceeded quota") || lower.contains("failed quota") {
        return (
            format!("the namespace's quota forbids it ({})", quota_part(text)),
            format!("Raise the quota of namespace {namespace} or lower what its pods ask for."),
        );
    }
    let table: [(&[&str], &str, &str); 4] = [
        (
            &["podsecurity", "pod security"],
            "the namespace's pod security level forbids it",
            "Give the pod template a security context that the level allows.",
        ),
        (
            &["webhook"],
            "an admission webhook refuses it or does not answer",
            "Look at the webhook's service and its rules.",
        ),
        (
            &["serviceaccount", "service account"],
            "its service account does not exist",
            "Create the service account or correct its name in the pod template.",
        ),
        (
            &["limitrange", "per container", "per pod"],
            "the namespace's limit range forbids it",
            "Bring the pod template's requests and limits into the range.",
        ),
    ];
    let found = table
        .iter()
        .find(|(words, ..)| words.iter().any(|w| lower.contains(w)));
    let (_, what, cure) = found.unwrap_or(&(
        &[],
        "the API server refuses it",
        "Mend what the message names in the pod template or the namespace.",
    ));
    ((*what).to_owned(), (*cure).to_owned())
}

/// `exceeded quota: compute, requested: cpu=1, used: cpu=10, limited: cpu=10`.
fn quota_part(text: &str) -> String {
    let from = text
        .find("exceeded quota")
        .or_else(|| text.find("failed quota"))
        .unwrap_or(0);
    phrase::line(&text[from..], 120)
}

/// Recorded workloads that are told to have no pods, or not to act: no fault, but good to know.
pub fn idle(population: &Population<'_>) -> Vec<Fault> {
    let is_idle = |w: &&Workload| {
        (w.desired == Some(0) && w.owner.is_none() && w.id.kind != "DaemonSet") || w.is_suspended
    };
    population
        .cluster
        .workloads
        .values()
        .filter(is_idle)
        .map(|w| {
            let how = if w.is_suspended {
                "is suspended or paused"
            } else {
                "is scaled to 0 pods"
            };
            let mut fault = Fault::new(Cause::History, Severity::Info, format!("{} {how}", w.id));
            fault.explanation = format!("{} {how}, so nothing of it runs by intent.", w.id);
            "Scale it up or resume it, if it should run.".clone_into(&mut fault.cure);
            fault.workloads.insert(w.id.clone());
            fault
        })
        .collect()
}
