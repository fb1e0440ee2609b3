//! Claims that are not to be had: missing, lost, without class, without a fitting volume.

mod unbound;

use std::collections::BTreeMap;

use crate::kube::Key;
use crate::kube::cluster::Cluster;
use crate::kube::pod::Pod;
use crate::kube::storage::Claim;
use crate::outcome::Severity;
use crate::phrase;
use crate::schedule::storage::{claim_key, stopping_claims, waits_for_consumer};

use crate::schedule::verdict::Verdict;
use crate::schedule::world::World;

use super::fault::{Cause, Fault};
use super::population::Population;
use unbound::{Why, failure, of_pending, plain};

/// Pods whose placing is told beside their claims.
const MAX_PODS: usize = 3;

/// The faults of all claims that pods wait for, and of claims that nobody waits for yet.
pub fn faults(population: &Population<'_>) -> Vec<Fault> {
    let cluster = population.cluster;
    let world = World::of(cluster);
    let mut waiting: BTreeMap<Key, Vec<&Pod>> = BTreeMap::new();
    for pod in cluster
        .pods
        .values()
        .filter(|p| !p.is_over() && p.deleted.is_none())
    {
        for key in awaited(cluster, pod) {
            waiting.entry(key).or_default().push(pod);
        }
    }
    for claim in cluster.claims.values() {
        let normal = claim.is_bound() || waits_for_consumer(cluster, claim);
        if !normal && claim.deleted.is_none() {
            waiting.entry(claim.key.clone()).or_default();
        }
    }
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    for (key, pods) in waiting {
        let why = why(cluster, &key, pods.first().copied());
        let group = groups.entry(why.sign.clone()).or_insert_with(|| Group {
            why,
            claims: Vec::new(),
            pods: Vec::new(),
        });
        group.claims.push(key);
        group.pods.extend(pods);
    }
    groups
        .into_values()
        .map(|group| fault(population, &world, group))
        .collect()
}

/// Claims that cannot be used for one reason.
struct Group<'a> {
    why: Why,
    claims: Vec<Key>,
    pods: Vec<&'a Pod>,
}

/// The claims that keep this pod from being placed or from running.
pub fn awaited(cluster: &Cluster, pod: &Pod) -> Vec<Key> {
    let mut keys = if pod.node.is_none() {
        stopping_claims(cluster, pod)
    } else {
        Vec::new()
    };
    let used = pod.claims.iter().map(|used| claim_key(pod, used));
    keys.extend(used.filter(|key| is_ill_for(cluster, pod, key)));
    keys.sort();
    keys.dedup();
    keys
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

fn fault(population: &Population<'_>, world: &World<'_>, group: Group<'_>) -> Fault {
    let Group { why, claims, pods } = group;
    let keys = phrase::names(&claims, 5);
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
    let title = format!("{noun} {keys} {}{waits}", why.phrase);
    let mut fault = Fault::new(Cause::Volume, Severity::Warning, title);
    fault.workloads = pods.iter().map(|p| population.workload(p)).collect();
    if !pods.is_empty() {
        fault.severity = population.severity(&fault.workloads);
    }
    fault.pods = pods.iter().map(|p| p.key.clone()).collect();
    let pending = pods.iter().filter(|p| p.node.is_none()).count();
    let so = match pending {
        0 => "",
        1 => " A pod is not scheduled before its claims can be used, so it stays Pending.",
        _ => " Pods are not scheduled before their claims can be used, so they stay Pending.",
    };
    fault.explanation = format!("{}{so}", why.explanation);
    fault.cure = why.cure;
    fault.evidence = why.evidence;
    for pod in pods.iter().filter(|p| p.node.is_none()).take(MAX_PODS) {
        let scheduled = pod
            .condition("PodScheduled")
            .filter(|c| c.status == "False");
        fault
            .evidence
            .extend(scheduled.map(|c| format!("{}: {}", pod.key, c.message)));
        if !world.slots.is_empty() {
            let apart = Verdict::of(world, pod).shown();
            fault
                .evidence
                .push(format!("{}: apart from its claims, {apart}", pod.key));
        }
    }
    fault.confidence = why.confidence;
    fault.objects = why.objects.into_iter().collect();
    fault
        .objects
        .extend(claims.iter().map(|key| key.name.clone()));
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
