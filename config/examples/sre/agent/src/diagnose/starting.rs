//! Placed pods whose containers are not started: volumes, network, configuration, refusals.

use crate::kube::cluster::Cluster;
use crate::kube::container::Container;
use crate::kube::event::Event;
use crate::kube::moment::span;
use crate::kube::pod::{Phase, Pod};
use crate::phrase;

use super::fault::Cause;
use super::symptom::Symptom;

/// Starting a pod may take so long before it counts as held up, if no event complains.
const PATIENCE_S: i64 = 300;

/// What holds up a placed pod whose containers are still being created.
pub fn symptom(cluster: &Cluster, pod: &Pod) -> Option<Symptom> {
    let is_creating = |c: &Container| {
        matches!(
            c.waits_for(),
            Some(("" | "ContainerCreating" | "PodInitializing", _))
        )
    };
    let creating = pod.all_containers().any(is_creating)
        || (pod.phase == Phase::Pending && !pod.has_container_status());
    if !creating || pod.deleted.is_some() {
        return None;
    }
    // Whoever pulls an image or has attached the volume is past the complaints before.
    let passed = |reasons: &[&str]| {
        cluster
            .events_of(pod)
            .filter(|e| reasons.contains(&e.reason.as_str()))
            .last()
    };
    let begun = passed(&["Pulling", "Pulled", "Created", "Started"]).and_then(|e| e.last);
    let attached = passed(&["SuccessfulAttachVolume"]).and_then(|e| e.last);
    let last = |reasons: &[&str]| passed(reasons).filter(|e| e.last.is_none() || e.last >= begun);
    if let Some(event) = last(&["FailedAttachVolume"]).filter(|e| e.last >= attached) {
        return Some(attach(cluster, pod, event));
    }
    // "timed out waiting" is what remains when the reason has been said before.
    let mounts: Vec<&Event> = cluster
        .events_of(pod)
        .filter(|e| e.reason == "FailedMount" && (e.last.is_none() || e.last >= begun))
        .collect();
    let telling = mounts
        .iter()
        .rev()
        .find(|e| !e.message.contains("timed out waiting"));
    if let Some(event) = telling.or(mounts.last()) {
        return Some(mount(pod, event));
    }
    if let Some(event) = last(&[
        "FailedCreatePodSandBox",
        "NetworkNotReady",
        "FailedCreatePodContainer",
    ]) {
        return Some(sandbox(pod, event));
    }
    without_a_word(cluster, pod)
}

/// A pod that waits long for its containers while no event says why.
fn without_a_word(cluster: &Cluster, pod: &Pod) -> Option<Symptom> {
    let waited_s = cluster.age_s(
        pod.condition("PodScheduled")
            .and_then(|c| c.since)
            .or(pod.created),
    )?;
    if waited_s < PATIENCE_S {
        return None;
    }
    let node = pod.node.as_deref().unwrap_or("its node");
    let mut symptom = Symptom::new(
        Cause::Unexplained,
        "creating",
        format!("has waited {} for its containers on {node}", span(waited_s)),
    )
    .because(
        format!(
            "The pod was given to {node} {} ago but its containers are still being created, and no \
             event says why: the kubelet or the container engine on {node} is slow or silent.",
            span(waited_s)
        ),
        format!("Look at the kubelet's log on {node} and at `kubectl describe pod`."),
    );
    symptom.confidence = 0.5;
    Some(symptom.seen([format!(
        "{}: ContainerCreating on {node} for {}",
        pod.key,
        span(waited_s)
    )]))
}

fn attach(cluster: &Cluster, pod: &Pod, event: &Event) -> Symptom {
    let text = &event.message;
    let is_multi = text.contains("Multi-Attach");
    let users: Vec<&Pod> = pod
        .claims
        .iter()
        .filter_map(|c| crate::schedule::storage::other_user(cluster, pod, &c.claim))
        .filter(|other| other.node != pod.node)
        .collect();
    let (phrase, explanation) = if is_multi {
        let by = users.first().map_or_else(
            || "another node".to_owned(),
            |u| {
                format!(
                    "pod {} on {}",
                    u.key,
                    u.node.as_deref().unwrap_or("another node")
                )
            },
        );
        (
            format!("cannot start: its volume is still attached elsewhere, to {by} (Multi-Attach)"),
            format!(
                "The pod's ReadWriteOnce volume is still attached for {by}; it can be attached to \
                 one node at a time. The kubelet says: {}.",
                phrase::said(text)
            ),
        )
    } else {
        (
            "cannot start: its volume cannot be attached to the node".to_owned(),
            format!(
                "The volume cannot be attached to the pod's node: {}.",
                phrase::said(text)
            ),
        )
    };
    let cure = if is_multi {
        "End the pod that holds the volume (after a node's death, force its deletion or delete the \
         VolumeAttachment), or use a rollout that stops the old pod first (strategy Recreate)."
    } else {
        "Look at the CSI driver's controller and at the volume in the storage system."
    };
    let mut symptom = Symptom::new(
        Cause::Mount,
        if is_multi { "multi" } else { "attach" },
        phrase,
    )
    .because(explanation, cure)
    .seen([format!("{}: {}", pod.key, event.shown())]);
    symptom
        .objects
        .extend(pod.claims.iter().map(|c| c.claim.clone()));
    for user in users {
        let on = user.node.as_deref().unwrap_or("no node");
        symptom
            .evidence
            .push(format!("the claim is also used by {} on {on}", user.key));
    }
    symptom
}

fn mount(pod: &Pod, event: &Event) -> Symptom {
    let text = &phrase::said(&event.message);
    let missing = missing_object(text);
    let (cause, sign, phrase, cure) = match &missing {
        Some((kind, name)) => (
            Cause::Config,
            format!("{kind}/{name}"),
            format!("cannot start: {kind} {name}, which it mounts, does not exist"),
            format!(
                "Create the {kind} {name} in namespace {}, or correct its name in the pod \
                 template.",
                pod.key.namespace
            ),
        ),
        None => (
            Cause::Mount,
            "mount".to_owned(),
            "cannot start: a volume cannot be mounted (FailedMount)".to_owned(),
            "Look at the volume and its driver on the node.".to_owned(),
        ),
    };
    let mut symptom = Symptom::new(cause, sign, phrase)
        .because(
            format!(
                "The pod is on {} but its containers are not created, because a volume cannot be \
                 mounted: {text}.",
                pod.node.as_deref().unwrap_or("its node")
            ),
            cure,
        )
        .seen([format!("{}: {}", pod.key, event.shown())]);
    symptom.objects.extend(missing.map(|(_, name)| name));
    symptom
        .objects
        .extend(pod.claims.iter().map(|c| c.claim.clone()));
    symptom
}

fn sandbox(pod: &Pod, event: &Event) -> Symptom {
    let text = event.message.to_ascii_lowercase();
    let node = pod.node.as_deref().unwrap_or("its node");
    let (sign, what, cure) = if text.contains("no ip addresses available")
        || text.contains("failed to allocate for range")
        || text.contains("no available ip")
        || text.contains("insufficientfreeaddresses")
    {
        (
            "addresses",
            "there is no free IP address left",
            "Free or enlarge the address range of the node or subnet.",
        )
    } else if text.contains("cni") || text.contains("network") {
        (
            "network",
            "the network plugin (CNI) cannot set up its network",
            "Look at the network plugin's pod on the node and its log.",
        )
    } else {
        (
            "sandbox",
            "the container engine cannot make its sandbox",
            "Look at the container engine's log on the node.",
        )
    };
    Symptom::new(
        Cause::Sandbox,
        format!("{sign}@{node}"),
        format!("cannot start on {node}: {what}"),
    )
    .because(
        format!(
            "The pod is on {node} but its sandbox cannot be created: {what}. The kubelet says: \
                 {}.",
            phrase::said(&event.message)
        ),
        cure,
    )
    .seen([format!("{}: {}", pod.key, event.shown())])
}

/// A container that the kubelet or the engine refuses to create or start.
pub fn refused(pod: &Pod, container: &Container, reason: &str, message: &str) -> Symptom {
    let name = &container.name;
    let said = &phrase::said(message);
    let missing = missing_object(said);
    let lower = said.to_ascii_lowercase();
    let is_config = reason == "CreateContainerConfigError" || missing.is_some();
    let (cause, sign, phrase, cure) = match &missing {
        Some((kind, object)) => (
            Cause::Config,
            format!("{kind}/{object}"),
            format!("cannot start: {kind} {object}, which container {name} needs, does not exist"),
            format!(
                "Create the {kind} {object} in namespace {}, or correct the reference in the pod \
                 template.",
                pod.key.namespace
            ),
        ),
        None if lower.contains("couldn't find key") => (
            Cause::Config,
            format!("{name}:key"),
            format!("cannot start: {reason}: {}", phrase::line(said, 90)),
            "Add the key to the config map or secret, or correct its name in the pod template."
                .to_owned(),
        ),
        None if lower.contains("runasnonroot") => (
            Cause::Config,
            format!("{name}:root"),
            format!("cannot start: container {name} must not run as root, but its image does"),
            "Set runAsUser to a user that the image supports, or use an image with a numeric \
             non-root user."
                .to_owned(),
        ),
        None => (
            if is_config {
                Cause::Config
            } else {
                Cause::Start
            },
            format!("{name}:{reason}"),
            format!(
                "cannot start container {name}: {reason}: {}",
                phrase::line(said, 90)
            ),
            start_cure(&lower).to_owned(),
        ),
    };
    let mut symptom = Symptom::new(cause, sign, phrase)
        .because(
            format!(
                "Container {name} is not started ({reason}): {said}. The pod is placed and its \
                 image is there."
            ),
            cure,
        )
        .seen([format!("{}: container {name} {reason}: {said}", pod.key)]);
    symptom.objects.extend(missing.map(|(_, name)| name));
    symptom
}

fn start_cure(text: &str) -> &'static str {
    if text.contains("executable file not found") || text.contains("no such file") {
        "Correct the container's command, or use an image that contains the program."
    } else if text.contains("permission denied") {
        "Make the command executable in the image, or correct the container's command."
    } else {
        "Correct what the message names in the pod template, then watch the next start."
    }
}

/// `("configmap", "app-env")` of `configmap "app-env" not found`.
pub fn missing_object(text: &str) -> Option<(String, String)> {
    let before = &text[..text.find("\" not found")?];
    let (before, name) = before.rsplit_once('"')?;
    let kind = before
        .trim_end()
        .rsplit([' ', ':'])
        .next()?
        .to_ascii_lowercase();
    let kind = match kind.trim_end_matches(".storage.k8s.io") {
        "configmap" | "configmaps" => "config map",
        "secret" | "secrets" => "secret",
        "serviceaccount" | "serviceaccounts" => "service account",
        "persistentvolumeclaim" => "claim",
        _ => return None,
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    Some((kind.to_owned(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_objects_are_named() {
        let found = |text: &str| missing_object(text);
        let pair = |kind: &str, name: &str| Some((kind.to_owned(), name.to_owned()));
        assert_eq!(
            found("configmap \"app-env\" not found"),
            pair("config map", "app-env")
        );
        assert_eq!(
            found("MountVolume.SetUp failed for volume \"tls\" : secret \"web-tls\" not found"),
            pair("secret", "web-tls")
        );
        assert_eq!(found("object \"x\" not found"), None);
        assert_eq!(found("\" not found"), None);
    }
}
