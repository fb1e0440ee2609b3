//! What the containers of a placed pod show: crashes, kills, probes, images, configuration.
//!
//! # Invariant
//! The container's present state decides; how it ended last time and what events say only explain
//! a present fault. A container that runs well now is at most a trace.

use crate::kube::cluster::Cluster;
use crate::kube::container::{Container, Ended, State};
use crate::kube::moment::span;
use crate::kube::pod::{Phase, Pod};

use super::fault::Cause;
use super::symptom::Symptom;
use super::{ending, image, probes, starting};

/// Kubernetes forgets earlier crashes of a container that has run so long.
const STABLE_AFTER_S: i64 = 600;
/// Fewer restarts than this are no pattern.
const MIN_RESTARTS: i64 = 3;
/// A kill for memory counts as present for so long.
const MEMORY_KILL_COUNTS_S: i64 = 3600;
/// An init container that runs longer than this holds its pod up.
const LONG_INIT_S: i64 = 300;

/// All that the containers of a pod show.
pub fn symptoms(cluster: &Cluster, pod: &Pod) -> Vec<Symptom> {
    if pod.is_over() || pod.node.is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for container in &pod.init {
        found.extend(of_init(cluster, pod, container));
    }
    // While an init container holds the pod up, the others only wait for it.
    if found.iter().any(|s| !s.is_over) {
        return found;
    }
    for container in &pod.containers {
        found.extend(of_container(cluster, pod, container));
    }
    if found.iter().all(|s| s.is_over) {
        found.extend(starting::symptom(cluster, pod));
    }
    if found.iter().all(|s| s.is_over) {
        found.extend(probes::unready(cluster, pod));
    }
    found
}

fn of_container(cluster: &Cluster, pod: &Pod, container: &Container) -> Option<Symptom> {
    if let Some((reason, message)) = container.waits_for() {
        return of_waiting(cluster, pod, container, reason, message);
    }
    match &container.state {
        // Between two starts a container is seen as terminated.
        State::Terminated(ended) => {
            let ends_for_good = pod.restart_policy == "Never"
                || (pod.restart_policy == "OnFailure" && ended.exit_code == 0);
            (!ends_for_good || ended.exit_code != 0)
                .then(|| crash(cluster, pod, container, ended, "has just ended"))
        }
        State::Running { .. } => of_running(cluster, pod, container),
        State::Unknown | State::Waiting { .. } => None,
    }
}

fn of_waiting(
    cluster: &Cluster,
    pod: &Pod,
    container: &Container,
    reason: &str,
    message: &str,
) -> Option<Symptom> {
    match reason {
        "" | "ContainerCreating" | "PodInitializing" => None,
        _ if image::is_about_image(reason) => Some(image::symptom(cluster, pod, container, reason)),
        "CrashLoopBackOff" => {
            let none = Ended::default();
            let ended = container.last.as_ref().unwrap_or(&none);
            Some(crash(
                cluster,
                pod,
                container,
                ended,
                "is in CrashLoopBackOff",
            ))
        }
        _ => Some(starting::refused(pod, container, reason, message)),
    }
}

/// A container that runs now: is it still in a circle of restarts?
fn of_running(cluster: &Cluster, pod: &Pod, container: &Container) -> Option<Symptom> {
    let ended = container.last.as_ref().filter(|_| container.restarts > 0)?;
    let runs_s = container
        .runs_since()
        .and_then(|since| cluster.age_s(Some(since)));
    let ended_s = cluster.age_s(ended.finished);
    let memory =
        ending::is_out_of_memory(ended) && ended_s.is_none_or(|s| s < MEMORY_KILL_COUNTS_S);
    if memory || is_restarting(cluster, pod, container, runs_s) {
        let how = "runs now but keeps restarting";
        return Some(crash(cluster, pod, container, ended, how));
    }
    let since = runs_s.map_or_else(String::new, |s| format!(" and has run for {}", span(s)));
    let times = crate::phrase::count(usize::try_from(container.restarts).unwrap_or(0), "restart");
    let mut symptom = Symptom::new(
        Cause::Restarts,
        container.name.clone(),
        format!(
            "had {times} of container {} but is stable now",
            container.name
        ),
    )
    .because(
        format!(
            "Container {} was restarted {} times{since}; its last end was {} ({}). It runs now, so \
             this is a trace of an earlier fault.",
            container.name,
            container.restarts,
            reason_of(ended),
            ending::words(ended)
        ),
        "Nothing to do now; look at its earlier logs if it comes back.",
    );
    symptom.is_over = true;
    (container.restarts >= MIN_RESTARTS || ending::is_out_of_memory(ended)).then_some(symptom)
}

/// Restarted often, and the present run is no longer than the runs before were on average.
fn is_restarting(cluster: &Cluster, pod: &Pod, container: &Container, runs_s: Option<i64>) -> bool {
    if container.restarts < MIN_RESTARTS {
        return false;
    }
    let Some(runs_s) = runs_s else {
        return !container.is_ready;
    };
    let lived_s = cluster.age_s(pod.created).unwrap_or(0) - runs_s;
    let mean_s = lived_s.max(0) / container.restarts;
    runs_s < STABLE_AFTER_S || runs_s < mean_s * 2
}

fn reason_of(ended: &Ended) -> &str {
    if ended.reason.is_empty() {
        "Error"
    } else {
        &ended.reason
    }
}

/// A container that ended and is started again and again.
fn crash(cluster: &Cluster, pod: &Pod, container: &Container, ended: &Ended, how: &str) -> Symptom {
    let seen = evidence(cluster, pod, container, ended, how);
    if ending::is_out_of_memory(ended) {
        return out_of_memory(cluster, pod, container, ended, how).seen(seen);
    }
    if ending::could_not_start(ended) {
        return starting::refused(pod, container, reason_of(ended), &ended.message).seen(seen);
    }
    if let Some(killed) = probes::killed_by_probe(cluster, pod, container, ended) {
        return killed.seen(seen);
    }
    let name = &container.name;
    let words = ending::words(ended);
    if *ended == Ended::default() {
        let phrase = format!("container {name} {how}; the recording does not say how it ended");
        let mut symptom = Symptom::new(Cause::Crash, name.clone(), phrase).because(
            format!("Container {name} {how}, {} restarts.", container.restarts),
            ending::of_code(1, &pod.key, name),
        );
        symptom.confidence = 0.6;
        return symptom.seen(seen);
    }
    let sign = format!("{name}:{}", ended.exit_code);
    let phrase = format!("container {name} {how} with {words}");
    let mut explanation = format!(
        "Container {name} {how}: it was started and ended with {words} (reason {}), {} restarts so \
         far.",
        reason_of(ended),
        container.restarts
    );
    if let (Some(started), Some(finished)) = (ended.started, ended.finished) {
        let lived = span(finished.seconds_since(started));
        explanation = format!("{explanation} It lived for {lived} the last time.");
    }
    if !ended.message.trim().is_empty() {
        let last = crate::phrase::line(last_line(&ended.message), 200);
        explanation = format!("{explanation} Its last words: \"{last}\".");
    }
    if ended.exit_code == 137 {
        explanation.push_str(
            " It was not marked OOMKilled and no probe killed it: something on the node, or the \
             end of its grace period, did.",
        );
    }
    explanation.push_str(
        " The pod is placed and its image is there: the fault is in the program, \
                          its configuration or what it depends on.",
    );
    let mut symptom = Symptom::new(Cause::Crash, sign, phrase)
        .because(explanation, ending::cure(ended, &pod.key, name))
        .seen(seen);
    symptom.confidence = if ended.message.is_empty() { 0.8 } else { 0.9 };
    symptom
}

/// The last line that says something.
fn last_line(text: &str) -> &str {
    text.trim()
        .lines()
        .rev()
        .find(|l| !l.trim().is_empty())
        .unwrap_or_default()
        .trim()
}

fn evidence(
    cluster: &Cluster,
    pod: &Pod,
    container: &Container,
    ended: &Ended,
    how: &str,
) -> Vec<String> {
    let mut line = format!(
        "{}: container {} {how}, {} restarts",
        pod.key, container.name, container.restarts
    );
    if *ended != Ended::default() {
        line = format!(
            "{line}, last end {} exit code {}",
            reason_of(ended),
            ended.exit_code
        );
    }
    if let Some(finished) = ended.finished {
        line = format!("{line} at {finished}");
    }
    let mut lines = vec![line];
    if !ended.message.trim().is_empty() {
        lines.push(format!("{}: last words: {}", pod.key, ended.message));
    }
    let backed_off = cluster
        .events_of(pod)
        .filter(|e| e.reason == "BackOff")
        .last();
    lines.extend(backed_off.map(|e| format!("{}: {}", pod.key, e.shown())));
    lines
}

fn out_of_memory(
    cluster: &Cluster,
    pod: &Pod,
    container: &Container,
    ended: &Ended,
    how: &str,
) -> Symptom {
    let name = &container.name;
    let limit = container.limits.get("memory");
    let asked = container.requests.get("memory").shown("memory");
    let times = container.restarts;
    let (phrase, explanation, cure) = if limit.is_positive() {
        let limit = limit.shown("memory");
        (
            format!("container {name} is OOMKilled at its memory limit of {limit}"),
            format!(
                "Container {name} {how}: the kernel killed it (OOMKilled, exit code {}) because it \
                 used more memory than its limit of {limit} (request {asked}); {times} restarts \
                 so far.",
                ended.exit_code
            ),
            format!(
                "Raise the memory limit of container {name} above {limit} (and its request with \
                 it), or lower what the program uses or mend its leak."
            ),
        )
    } else {
        let node = pod.node.as_deref().unwrap_or("its node");
        (
            format!("container {name} is OOMKilled without a memory limit: {node} ran out"),
            format!(
                "Container {name} {how}: the kernel killed it (OOMKilled, exit code {}) though it \
                 has no memory limit, so the node {node} itself ran out of memory; {times} \
                 restarts so far.",
                ended.exit_code
            ),
            format!(
                "Give the pods on {node} memory requests that match their use, and limits, so that \
                 the node is not overfilled."
            ),
        )
    };
    let mut symptom = Symptom::new(Cause::OutOfMemory, name.clone(), phrase)
        .because(explanation, cure)
        .seen([format!(
            "{}: container {name} memory limit {}, request {asked}",
            pod.key,
            if limit.is_positive() {
                limit.shown("memory")
            } else {
                "none".to_owned()
            }
        )]);
    let mut on_node = cluster.events.iter().filter(|e| {
        e.kind == "Node" && Some(&e.object.name) == pod.node.as_ref() && e.reason == "SystemOOM"
    });
    symptom.evidence.extend(
        on_node
            .next_back()
            .map(|e| format!("{}: {}", e.object, e.shown())),
    );
    symptom.confidence = 0.95;
    symptom
}

/// An init container that fails, cannot start, or runs on and on.
fn of_init(cluster: &Cluster, pod: &Pod, container: &Container) -> Option<Symptom> {
    if container.is_sidecar {
        return of_container(cluster, pod, container);
    }
    let name = &container.name;
    let mut inner = match &container.state {
        State::Terminated(ended) if ended.exit_code == 0 => return None,
        State::Terminated(ended) => crash(cluster, pod, container, ended, "has just failed"),
        State::Running { since } if pod.phase == Phase::Pending => {
            let runs_s = cluster.age_s(*since)?;
            if runs_s < LONG_INIT_S {
                return None;
            }
            let runs = span(runs_s);
            let mut waits = Symptom::new(
                Cause::Init,
                name.clone(),
                format!("waits for init container {name}, which has run for {runs}"),
            )
            .because(
                format!(
                    "Init container {name} has run for {runs} without ending, so the pod's other \
                     containers are not started. It usually waits for something that is not there."
                ),
                format!(
                    "See with `kubectl logs -n {} {} -c {name}` what it waits for.",
                    pod.key.namespace, pod.key.name
                ),
            );
            waits.confidence = 0.75;
            let command = crate::phrase::line(&container.command.join(" "), 160);
            let command = if command.is_empty() {
                "of the image".to_owned()
            } else {
                command
            };
            return Some(waits.seen([format!(
                "{}: init container {name} runs: {command}",
                pod.key
            )]));
        }
        State::Waiting { reason, message } => of_waiting(cluster, pod, container, reason, message)?,
        State::Unknown | State::Running { .. } => return None,
    };
    if inner.cause == Cause::Crash {
        inner.cause = Cause::Init;
    }
    inner.phrase = inner.phrase.replacen("container ", "init container ", 1);
    inner.explanation = format!(
        "The pod's own containers wait for its init containers. Init {}",
        inner.explanation.replacen("Container", "container", 1)
    );
    Some(inner)
}
