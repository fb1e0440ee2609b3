//! Pods at the end of their life: failed, evicted, stuck while being deleted, without a node.

use crate::kube::cluster::Cluster;
use crate::kube::moment::span;
use crate::kube::pod::{Phase, Pod};
use crate::outcome::Severity;
use crate::phrase;

use super::ending;
use super::fault::{Cause, Fault};
use super::population::Population;
use super::symptom::Symptom;

/// A deletion may take so long beyond its grace period.
const DELETION_PATIENCE_S: i64 = 60;

/// What a pod that failed, is being deleted or lost its node shows.
pub fn symptom(population: &Population<'_>, pod: &Pod) -> Option<Symptom> {
    let cluster = population.cluster;
    if pod.deleted.is_some() {
        return terminating(cluster, pod);
    }
    if pod.phase == Phase::Failed {
        return Some(failed(population, pod));
    }
    let node = pod.node.as_ref()?;
    let known = cluster.nodes.get(node);
    if pod.phase == Phase::Unknown && known.is_none_or(|n| n.unready().is_none()) {
        return Some(lost(pod));
    }
    let is_gone = !pod.is_over() && !cluster.nodes.is_empty() && !cluster.nodes.contains_key(node);
    is_gone.then(|| {
        Symptom::new(
            Cause::NodeDown,
            node.clone(),
            format!("bound to node {node}, which does not exist"),
        )
        .because(
            format!(
                "The pod is bound to node {node}, but the recording has no such node: it was \
                     removed or replaced, and the pod cannot run there."
            ),
            "Delete the pod (with --force if it stays), so that its controller makes a new one."
                .to_owned(),
        )
        .seen([format!(
            "{}: phase {:?}, node {node} is not recorded",
            pod.key, pod.phase
        )])
    })
}

fn lost(pod: &Pod) -> Symptom {
    let node = pod.node.as_deref().unwrap_or("its node");
    Symptom::new(
        Cause::NodeDown,
        node,
        format!("its state is unknown: {node} does not answer"),
    )
    .because(
        format!("The pod is in phase Unknown: the kubelet of {node} does not report it."),
        format!("Bring {node} back, or delete the pod so that it is made elsewhere."),
    )
    .seen([format!(
        "{}: phase {:?}, {} on {node}",
        pod.key, pod.phase, pod.reason
    )])
}

fn failed(population: &Population<'_>, pod: &Pod) -> Symptom {
    let replaced = population.is_replaced(pod);
    let mut symptom = match pod.reason.as_str() {
        "Evicted" => evicted(population.cluster, pod),
        "NodeLost" => lost(pod),
        "" => ended(pod),
        reason => {
            let message = &phrase::said(&pod.message);
            Symptom::new(
                Cause::Failed,
                reason,
                format!("failed: {reason}: {}", phrase::line(message, 90)),
            )
            .because(
                format!("The kubelet gave the pod up with reason {reason}: {message}."),
                "Its controller makes a new pod where there is one; otherwise create it again."
                    .to_owned(),
            )
        }
    };
    let on = pod.node.as_deref().unwrap_or("no node");
    let reason = if pod.reason.is_empty() {
        "Failed"
    } else {
        &pod.reason
    };
    symptom.evidence.push(format!(
        "{}: {reason} on {on}: {}",
        pod.key,
        pod.message.trim()
    ));
    if replaced {
        symptom.is_over = true;
        symptom.phrase = format!("{} (replaced since: a trace)", symptom.phrase);
    }
    symptom
}

fn evicted(cluster: &Cluster, pod: &Pod) -> Symptom {
    let message = &phrase::said(&pod.message);
    let lower = message.to_ascii_lowercase();
    let node = pod.node.as_deref().unwrap_or("its node");
    let own_fault = lower.contains("exceeds the total limit")
        || lower.contains("exceeds its local storage limit")
        || lower.contains("usage of emptydir");
    let what = if own_fault {
        "used more local storage than its limit"
    } else if lower.contains("memory") {
        "the node was low on memory"
    } else if lower.contains("ephemeral-storage")
        || lower.contains("disk")
        || lower.contains("imagefs")
    {
        "the node was low on disk (ephemeral-storage)"
    } else if lower.contains("pid") {
        "the node was low on process ids"
    } else {
        "the node was under pressure"
    };
    let now = cluster
        .nodes
        .get(node)
        .map(|n| n.pressures())
        .unwrap_or_default();
    let still = match now.as_slice() {
        [] => format!("Node {node} shows no pressure at the time of the recording."),
        some => {
            let kinds = phrase::names(some.iter().map(|c| &c.kind), 4);
            format!("Node {node} still has {kinds}.")
        }
    };
    let cure = if own_fault {
        "Raise the pod's ephemeral-storage or emptyDir limit, or write less to local disk."
    } else {
        "Give the pods requests that match their use, move load off the node, or give it more of \
         what ran out; delete the evicted pods."
    };
    Symptom::new(Cause::Evicted, what, format!("Evicted from {node}: {what}")).because(
        format!("The kubelet of {node} evicted the pod: {message}. {still}"),
        cure,
    )
}

/// Failed because a container ended badly and is not to be started again.
fn ended(pod: &Pod) -> Symptom {
    let bad = pod.all_containers().find_map(|c| {
        let ended = c
            .ended()
            .filter(|e| e.exit_code != 0 || ending::is_out_of_memory(e))?;
        Some((c, ended))
    });
    let Some((container, ended)) = bad else {
        return Symptom::new(Cause::Failed, "failed", "failed").because(
            "The pod is in phase Failed without a reason.",
            "Look at its events and logs.",
        );
    };
    let name = &container.name;
    if ending::is_out_of_memory(ended) {
        let limit = container.limits.get("memory").shown("memory");
        return Symptom::new(
            Cause::OutOfMemory,
            name.clone(),
            format!("failed: container {name} was OOMKilled at its memory limit of {limit}"),
        )
        .because(
            format!(
                "Container {name} used more memory than its limit of {limit} and was killed \
                 (OOMKilled, exit code {}); restartPolicy {} leaves it ended.",
                ended.exit_code, pod.restart_policy
            ),
            format!("Raise the memory limit of container {name} or lower what it uses."),
        );
    }
    let words = ending::words(ended);
    let mut symptom = Symptom::new(
        Cause::Failed,
        format!("{name}:{}", ended.exit_code),
        format!("failed: container {name} ended with {words}"),
    )
    .because(
        format!(
            "Container {name} ended with {words}; restartPolicy {} leaves it ended.",
            pod.restart_policy
        ),
        ending::cure(ended, &pod.key, name).replace(" --previous", ""),
    );
    if !ended.message.trim().is_empty() {
        symptom
            .evidence
            .push(format!("{}: last words: {}", pod.key, ended.message.trim()));
    }
    symptom
}

fn terminating(cluster: &Cluster, pod: &Pod) -> Option<Symptom> {
    // The deletion timestamp is the moment at which the grace period ends.
    let overdue_s = cluster.age_s(pod.deleted)?;
    if overdue_s < DELETION_PATIENCE_S {
        return None;
    }
    let late = span(overdue_s);
    let (sign, why, cure) = if pod.finalizers.is_empty() {
        let node = pod.node.as_deref().unwrap_or("its node");
        (
            format!("kubelet@{node}"),
            format!("the kubelet of {node} has not confirmed that its containers ended"),
            format!(
                "See whether {node} is well and what keeps the containers (a hung mount, a process \
                 in uninterruptible sleep); only then delete the pod with --force --grace-period=0."
            ),
        )
    } else {
        let names = phrase::names(&pod.finalizers, 4);
        (
            format!("finalizer:{names}"),
            format!("finalizer {names} has not been removed by its controller"),
            format!(
                "Look at the controller that owns finalizer {names}; remove the finalizer by hand \
                 only when what it guards is done."
            ),
        )
    };
    let phrase = format!("stuck Terminating, {late} beyond its grace period: {why}");
    let since = pod.deleted.map_or_else(String::new, |d| d.to_string());
    Some(
        Symptom::new(Cause::Terminating, sign, phrase)
            .because(
                format!("The pod should have been gone by {since} but is still there: {why}."),
                cure,
            )
            .seen([format!(
                "{}: deletionTimestamp {since}, finalizers {}",
                pod.key,
                if pod.finalizers.is_empty() {
                    "none".to_owned()
                } else {
                    pod.finalizers.join(", ")
                }
            )]),
    )
}

/// Claims that are being deleted while pods still use them.
pub fn deleted_claims(population: &Population<'_>) -> Vec<Fault> {
    let cluster = population.cluster;
    let overdue = |c: &&crate::kube::storage::Claim| {
        cluster
            .age_s(c.deleted)
            .is_some_and(|s| s >= DELETION_PATIENCE_S)
    };
    cluster
        .claims
        .values()
        .filter(overdue)
        .map(|claim| {
            let users: Vec<&Pod> = cluster
                .pods
                .values()
                .filter(|p| p.key.namespace == claim.key.namespace && !p.is_over())
                .filter(|p| p.claims.iter().any(|c| c.claim == claim.key.name))
                .collect();
            let by = phrase::names(users.iter().map(|p| &p.key.name), 5);
            let by = if users.is_empty() {
                "no pod".to_owned()
            } else {
                by
            };
            let mut fault = Fault::new(
                Cause::Terminating,
                Severity::Warning,
                format!(
                    "Claim {} is stuck Terminating; it is used by {by}",
                    claim.key
                ),
            );
            let why = "A claim is kept until no pod uses it any more \
                                 (finalizer kubernetes.io/pvc-protection).";
            why.clone_into(&mut fault.explanation);
            let cure = "End the pods that use the claim, if its deletion is meant.";
            cure.clone_into(&mut fault.cure);
            fault.objects.insert(claim.key.name.clone());
            fault
        })
        .collect()
}
