//! Claims that are not bound: no class, no volume that fits, a provisioner that fails or is silent.

use crate::kube::cluster::Cluster;
use crate::kube::event::Event;
use crate::kube::storage::{Claim, NO_PROVISIONER, StorageClass};
use crate::phrase;
use crate::schedule::storage::{class_of, mismatch};

/// Volumes that are explained one by one.
const MAX_VOLUMES: usize = 8;

/// Why a claim cannot be used.
pub struct Why {
    /// Claims with the same sign are one fault.
    pub sign: String,
    /// As it stands after "claim x ".
    pub phrase: String,
    /// Whole sentences.
    pub explanation: String,
    /// What to do.
    pub cure: String,
    /// Numbers and names.
    pub evidence: Vec<String>,
    /// Objects by name that it touches.
    pub objects: Vec<String>,
    /// How sure this is.
    pub confidence: f64,
}

/// A reason without evidence yet.
pub fn plain(sign: &str, phrase: &str, explanation: &str, cure: &str) -> Why {
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

/// The last complaint of the provisioner about a claim.
pub fn failure<'c>(cluster: &'c Cluster, claim: &'c Claim) -> Option<&'c Event> {
    cluster
        .events_about("PersistentVolumeClaim", &claim.key)
        .filter(|e| e.uid.is_empty() || claim.uid.is_empty() || e.uid == claim.uid)
        .filter(|e| e.reason == "ProvisioningFailed")
        .last()
}

/// Why a claim is not bound.
pub fn of_pending(cluster: &Cluster, claim: &Claim) -> Why {
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
    "is Pending: it names no storage class and there is no default one".clone_into(&mut why.phrase);
    why.explanation = format!(
        "The claim names no storage class and none is marked as default ({there}); no free volume \
         without a class fits either."
    );
    let cure = "Mark one storage class as default (annotation \
                storageclass.kubernetes.io/is-default-class: \"true\"), or name a class in the \
                claim.";
    cure.clone_into(&mut why.cure);
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
        let text = &phrase::said(&event.message);
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
