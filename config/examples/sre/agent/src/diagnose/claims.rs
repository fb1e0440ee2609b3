//! Claims that are not to be had: missing, lost, without class, without a fitting volume.

use std::collections::BTreeMap;

use crate::kube::Key;
use crate::kube::cluster::Cluster;
use crate::kube::pod::Pod;
use crate::kube::storage::{Claim, NO_PROVISIONER, StorageClass};
use crate::outcome::Severity;
use crate::phrase;
use crate::schedule::storage::{
    claim_key, class_of, mismatch, stopping_claims, waits_for_consumer,
};

use super::fault::{Cause, Fault};
use super::population::Population;

/// Volumes that are explained one by one.
const MAX_VOLUMES: usize = 8;

/// Why a claim cannot be used.
struct Why {
    /// Claims with the same sign are one fault.
    sign: String,
    /// As it stands after "claim x ".
    phrase: String,
    explanation: String,
    cure: String,
    evidence: Vec<String>,
    objects: Vec<String>,
    confidence: f64,
}

/// The faults of all claims that pods wait for, and of claims that nobody waits for yet.
pub fn faults(population: &Population<'_>) -> Vec<Fault> {
    let cluster = population.cluster;
    let mut waiting: BTreeMap<Key, Vec<&Pod>> = BTreeMap::new();
    for pod in cluster
        .pods
        .values()
        .filter(|p| !p.is_over() && p.deleted.is_none())
    {
        let mut keys = if pod.node.is_none() {
            stopping_claims(cluster, pod)
        } else {
            Vec::new()
        };
        let used = pod.claims.iter().map(|used| claim_key(pod, used));
        keys.extend(used.filter(|key| is_ill_for(cluster, pod, key)));
        keys.sort();
        keys.dedup();
        for key in keys {
            waiting.entry(key).or_default().push(pod);
        }
    }
    for claim in cluster.claims.values() {
        let normal = claim.is_bound() || waits_for_consumer(cluster, claim);
        if !normal && claim.deleted.is_none() {
            waiting.entry(claim.key.clone()).or_default();
        }
    }
    let mut groups: BTreeMap<String, (Why, Vec<(Key, Vec<&Pod>)>)> = BTreeMap::new();
    for (key, pods) in waiting {
        let why = why(cluster, &key, pods.first().copied());
        groups
            .entry(why.sign.clone())
            .or_insert((why, Vec::new()))
            .1
            .push((key, pods));
    }
    groups
        .into_values()
        .map(|(why, claims)| fault(population, why, &claims))
        .collect()
}

/// A claim that stops the pod although its class or the recording alone would not say so.
fn is_ill_for(cluster: &Cluster, pod: &Pod, key: &Key) -> bool {
    match cluster.claims.get(key) {
        Some(claim) if claim.phase == "Lost" => true,
        Some(claim) => pod.node.is_none() && provisioning_fails(cluster, claim),
        None => pod.node.is_none() && is_reported_missing(cluster, pod, key),
    }
}

/// The scheduler said that the claim is not there, and it is not.
fn is_reported_missing(cluster: &Cluster, pod: &Pod, key: &Key) -> bool {
    let said = format!("persistentvolumeclaim \"{}\" not found", key.name);
    let message = pod
        .condition("PodScheduled")
        .map_or("", |c| c.message.as_str());
    !cluster.claims.contains_key(key) && message.contains(&said)
}

/// A claim whose volume should be made for its first pod, but making it fails.
fn provisioning_fails(cluster: &Cluster, claim: &Claim) -> bool {
    !claim.is_bound() && failure(cluster, claim).is_some()
}

fn failure<'c>(cluster: &'c Cluster, claim: &'c Claim) -> Option<&'c crate::kube::event::Event> {
    cluster
        .events_about("PersistentVolumeClaim", &claim.key)
        .filter(|e| e.uid.is_empty() || claim.uid.is_empty() || e.uid == claim.uid)
        .filter(|e| e.reason == "ProvisioningFailed")
        .last()
}

fn fault(population: &Population<'_>, why: Why, claims: &[(Key, Vec<&Pod>)]) -> Fault {
    let pods: Vec<&Pod> = claims
        .iter()
        .flat_map(|(_, pods)| pods.iter().copied())
        .collect();
    let keys = phrase::names(claims.iter().map(|(key, _)| key), 5);
    let noun = if claims.len() == 1 { "Claim" } else { "Claims" };
    let waits = match pods.as_slice() {
        [] => "; no recorded pod waits for it".to_owned(),
        [one] => format!("; pod {} waits for it", one.key),
        some => format!(
            "; {} wait: {}",
            phrase::count(some.len(), "pod"),
            phrase::names(some.iter().map(|p| &p.key.name), 5)
        ),
    };
    let mut fault = Fault::new(
        Cause::Volume,
        Severity::Warning,
        format!("{noun} {keys} {}{waits}", why.phrase),
    );
    fault.workloads = pods.iter().map(|p| population.workload(p)).collect();
    if !pods.is_empty() {
        fault.severity = population.severity(&fault.workloads);
    }
    fault.pods = pods.iter().map(|p| p.key.clone()).collect();
    let cannot = if pods.is_empty() {
        String::new()
    } else {
        format!(
            " A pod is not scheduled before its claims can be used, so {} Pending on every node.",
            if pods.len() == 1 {
                "it stays"
            } else {
                "they stay"
            }
        )
    };
    fault.explanation = format!("{}{cannot}", why.explanation);
    fault.cure = why.cure;
    fault.evidence = why.evidence;
    for pod in pods.iter().take(4) {
        let scheduled = pod
            .condition("PodScheduled")
            .filter(|c| c.status == "False");
        fault
            .evidence
            .extend(scheduled.map(|c| format!("{}: {}", pod.key, c.message)));
    }
    fault.confidence = why.confidence;
    fault.objects = why.objects.into_iter().collect();
    fault
        .objects
        .extend(claims.iter().map(|(key, _)| key.name.clone()));
    fault
}

fn why(cluster: &Cluster, key: &Key, pod: Option<&Pod>) -> Why {
    let Some(claim) = cluster.claims.get(key) else {
        let reported = pod.is_some_and(|p| is_reported_missing(cluster, p, key));
        return Why {
            sign: format!("missing:{key}"),
            phrase: "does not exist".to_owned(),
            explanation: format!("The pod mounts claim {key}, and there is no such claim."),
            cure: format!("Create the claim {key}, or correct its name in the pod template."),
            evidence: vec![format!("claim {key} is not in the recording")],
            objects: Vec::new(),
            confidence: if reported { 0.95 } else { 0.85 },
        };
    };
    let mut why = match claim.phase.as_str() {
        _ if claim.deleted.is_some() => plain(
            "deleting",
            "is being deleted",
            "A claim that is being deleted is given to no pod.",
            "Let the deletion end (its users must go first), then create the claim again.",
        ),
        "Lost" => plain(
            "lost",
            "is Lost: its volume is gone",
            "The claim was bound to a volume that does not exist any more.",
            "Restore the volume (or its data from a backup) and bind a new claim to it.",
        ),
        _ => of_pending(cluster, claim),
    };
    why.evidence.insert(0, claim_line(claim));
    let said = cluster.events_about("PersistentVolumeClaim", &claim.key);
    let said = said.filter(|e| e.uid.is_empty() || claim.uid.is_empty() || e.uid == claim.uid);
    why.evidence
        .extend(said.last().map(|e| format!("{}: {}", claim.key, e.shown())));
    why
}

fn plain(sign: &str, phrase: &str, explanation: &str, cure: &str) -> Why {
    Why {
        sign: sign.to_owned(),
        phrase: phrase.to_owned(),
        explanation: explanation.to_owned(),
        cure: cure.to_owned(),
        evidence: Vec::new(),
        objects: Vec::new(),
        confidence: 0.9,
    }
}

fn claim_line(claim: &Claim) -> String {
    let class = match claim.class.as_deref() {
        None => "no class named".to_owned(),
        Some("") => "class \"\" (only volumes made by hand)".to_owned(),
        Some(class) => format!("class {class}"),
    };
    format!(
        "claim {}: {}, {class}, {} {}",
        claim.key,
        claim.phase,
        claim.size.shown("storage"),
        claim.access_modes.join("+")
    )
}

fn of_pending(cluster: &Cluster, claim: &Claim) -> Why {
    if let Some(name) = claim.volume.as_ref() {
        return of_named_volume(cluster, claim, name);
    }
    match (claim.class.as_deref(), class_of(cluster, claim)) {
        (None, None) => no_default_class(cluster, claim),
        (Some(""), _) => by_hand(cluster, claim, "it names no class"),
        (Some(name), None) => missing_class(cluster, claim, name),
        (_, Some(class)) if class.provisioner == NO_PROVISIONER => by_hand(
            cluster,
            claim,
            &format!("class {} has no provisioner", class.name),
        ),
        (_, Some(class)) => not_provisioned(cluster, claim, class),
    }
}

fn of_named_volume(cluster: &Cluster, claim: &Claim, name: &str) -> Why {
    let so = match cluster.volumes.get(name) {
        None => "does not exist".to_owned(),
        Some(volume) => mismatch(volume, claim).map_or_else(
            || "is not bound yet".to_owned(),
            |m| format!("cannot be given to it: {m}"),
        ),
    };
    let mut why = plain(
        &format!("volume:{name}"),
        &format!("is Pending: it insists on volume {name}, which {so}"),
        &format!("The claim names volume {name} itself, and that volume {so}."),
        &format!("Make volume {name} available to the claim, or take volumeName out of it."),
    );
    why.objects.push(name.to_owned());
    why
}

fn classes_shown(cluster: &Cluster) -> String {
    if cluster.classes.is_empty() {
        return "the recording has no storage class at all".to_owned();
    }
    let shown = cluster.classes.values().map(|c| {
        if c.is_default {
            format!("{} (default)", c.name)
        } else {
            c.name.clone()
        }
    });
    format!("storage classes there are: {}", phrase::names(shown, 8))
}

fn missing_class(cluster: &Cluster, claim: &Claim, name: &str) -> Why {
    let there = classes_shown(cluster);
    let mut why = plain(
        &format!("class:{name}"),
        &format!("is Pending: its storage class {name} does not exist"),
        &format!(
            "The claim names storage class {name}, which does not exist ({there}), so no volume is \
             made for it."
        ),
        &format!(
            "Create the storage class {name}, or create the claim again with a class that exists \
             ({there}); a claim's class cannot be changed in place."
        ),
    );
    let confirmed = failure(cluster, claim).is_some_and(|e| e.message.contains("not found"));
    if confirmed {
        why.confidence = 0.97;
    } else if !cluster.has_recorded("StorageClass") {
        why.confidence = 0.6;
    }
    why.evidence.push(there);
    why.objects.push(name.to_owned());
    why
}

fn no_default_class(cluster: &Cluster, claim: &Claim) -> Why {
    let there = classes_shown(cluster);
    let mut why = by_hand(
        cluster,
        claim,
        "it names no class and there is no default class",
    );
    "default".clone_into(&mut why.sign);
    why.phrase = "is Pending: it names no storage class and there is no default one".to_owned();
    why.explanation = format!(
        "The claim names no storage class and none is marked as default ({there}); no free volume \
         without a class fits either."
    );
    why.cure = "Mark one storage class as default (annotation \
                storageclass.kubernetes.io/is-default-class: \"true\"), or name a class in the \
                claim."
        .to_owned();
    why.evidence.push(there);
    why
}

/// A claim that only a volume made by hand can satisfy: why none of them does.
fn by_hand(cluster: &Cluster, claim: &Claim, because: &str) -> Why {
    let class = claim.class.as_deref().unwrap_or_default();
    let reasons: Vec<String> = cluster
        .volumes
        .values()
        .filter(|v| v.class == class || cluster.volumes.len() <= MAX_VOLUMES)
        .map(|v| {
            let so = mismatch(v, claim).unwrap_or_else(|| "it fits".to_owned());
            format!(
                "volume {} ({}, {}): {so}",
                v.name,
                v.phase,
                v.size.shown("storage")
            )
        })
        .take(MAX_VOLUMES)
        .collect();
    let none = if reasons.is_empty() {
        "there is no volume at all".to_owned()
    } else {
        format!("none of the volumes fits: {}", reasons.join("; "))
    };
    let mut why = plain(
        &format!("hand:{}", claim.key),
        &format!("is Pending: no volume fits ({because})"),
        &format!("Nobody makes volumes for this claim ({because}), and {none}."),
        &format!(
            "Create a volume of at least {} with access mode {} {}, or free one that is Released.",
            claim.size.shown("storage"),
            claim.access_modes.join("+"),
            if class.is_empty() {
                "and no class".to_owned()
            } else {
                format!("and class {class}")
            }
        ),
    );
    why.evidence = reasons;
    why
}

fn not_provisioned(cluster: &Cluster, claim: &Claim, class: &StorageClass) -> Why {
    let provisioner = &class.provisioner;
    if let Some(event) = failure(cluster, claim) {
        let text = event.message.trim();
        return plain(
            &format!("fails:{}:{}", class.name, phrase::line(text, 120)),
            &format!(
                "is Pending: provisioner {provisioner} fails: {}",
                phrase::line(text, 100)
            ),
            &format!(
                "Provisioner {provisioner} of class {} cannot make the volume: {text}.",
                class.name
            ),
            "Mend what the provisioner complains about (quota, zone, credentials, parameters).",
        );
    }
    let mut why = plain(
        &format!("silent:{provisioner}"),
        &format!("is Pending: provisioner {provisioner} has made no volume"),
        &format!(
            "The class {} exists and binds at once, but its provisioner {provisioner} has not made \
             a volume and reports no error: it is probably not running.",
            class.name
        ),
        &format!("Look at the pods and logs of the provisioner {provisioner}."),
    );
    why.confidence = 0.7;
    why
}
