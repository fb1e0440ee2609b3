//! Probes: containers that are killed by them, and containers that run but are not ready.

use crate::kube::cluster::Cluster;
use crate::kube::container::{Container, Ended, Probe};
use crate::kube::event::Event;
use crate::kube::moment::span;
use crate::kube::pod::{Phase, Pod};
use crate::phrase;

use super::ending;
use super::fault::Cause;
use super::symptom::Symptom;

/// A container that started less than this ago is only starting, as long as no probe failed.
const STARTING_S: i64 = 60;

/// Was the container killed because a probe failed?
pub fn killed_by_probe(
    cluster: &Cluster,
    pod: &Pod,
    container: &Container,
    ended: &Ended,
) -> Option<Symptom> {
    let events: Vec<&Event> = events(cluster, pod, container)
        .filter(|e| ended.started.is_none() || e.last.is_none() || e.last >= ended.started)
        .collect();
    let killing = events.iter().rev().find(|e| {
        e.reason == "Killing"
            && (e.message.contains("failed liveness probe")
                || e.message.contains("failed startup probe"))
    });
    let (kind, failed) = last_failed(&events);
    let kind = if killing.is_some_and(|k| k.message.contains("startup")) {
        "startup"
    } else {
        kind
    };
    // Without the kubelet's word, only a signal fits: a program that ends with an error of its own
    // fails its probes too, as a consequence.
    let by_signal = matches!(ended.exit_code, 137 | 143) && failed.is_some();
    if killing.is_none() && !by_signal {
        return None;
    }
    let probe = if kind == "startup" {
        &container.probes.startup
    } else {
        &container.probes.liveness
    };
    let name = &container.name;
    let shown = shown(probe.as_ref());
    let said = failed.map_or_else(String::new, |e| {
        format!(" It says: {}.", phrase::said(&e.message))
    });
    let phrase = format!("container {name} is killed and restarted: its {kind} probe fails{shown}");
    let mut symptom = Symptom::new(Cause::Liveness, format!("{name}:{kind}"), phrase).because(
        format!(
            "Container {name} starts and runs, but its {kind} probe{shown} fails, so the kubelet \
             kills and restarts it ({} restarts, last end with {}).{said}{}",
            container.restarts,
            ending::words(ended),
            port_hint(container, probe.as_ref())
        ),
        format!(
            "Find out why the {kind} probe{shown} fails: a program that is too slow to answer \
             (raise initialDelaySeconds, timeoutSeconds or failureThreshold, or use a startup \
             probe), a wrong port or path, or a program that hangs."
        ),
    );
    symptom
        .evidence
        .extend(failed.map(|e| format!("{}: {}", pod.key, e.shown())));
    symptom
        .evidence
        .extend(killing.map(|e| format!("{}: {}", pod.key, e.shown())));
    Some(symptom)
}

/// The probe that failed last, and the event that says so.
fn last_failed<'e>(events: &[&'e Event]) -> (&'static str, Option<&'e Event>) {
    let failing = |kind: &str| {
        let start = format!("{kind} probe failed");
        let is_it = |e: &&&Event| e.reason == "Unhealthy" && e.message.starts_with(&start);
        events.iter().rev().find(is_it).copied()
    };
    match (failing("Liveness"), failing("Startup")) {
        (Some(e), None) => ("liveness", Some(e)),
        (None, Some(e)) => ("startup", Some(e)),
        (Some(l), Some(s)) if l.last < s.last => ("startup", Some(s)),
        (Some(l), Some(_)) => ("liveness", Some(l)),
        (None, None) => ("liveness", None),
    }
}

fn events<'a>(
    cluster: &'a Cluster,
    pod: &'a Pod,
    container: &'a Container,
) -> impl Iterator<Item = &'a Event> {
    cluster
        .events_of(pod)
        .filter(|e| e.container.as_ref().is_none_or(|c| *c == container.name))
}

fn shown(probe: Option<&Probe>) -> String {
    probe.map_or_else(String::new, |p| format!(" ({})", p.shown))
}

/// A probe on a port that the container does not declare is often a wrong port.
fn port_hint(container: &Container, probe: Option<&Probe>) -> String {
    let Some(port) = probe.and_then(|p| p.port) else {
        return String::new();
    };
    if container.ports.is_empty() || container.ports.iter().any(|p| p.port == port) {
        return String::new();
    }
    let declared = phrase::names(container.ports.iter().map(|p| p.port), 6);
    format!(" The probe asks port {port}, but the container declares {declared}.")
}

/// A pod that runs but takes no traffic.
pub fn unready(cluster: &Cluster, pod: &Pod) -> Option<Symptom> {
    if pod.phase != Phase::Running || pod.is_ready() || pod.deleted.is_some() {
        return None;
    }
    let lagging = pod
        .all_containers()
        .filter(|c| c.is_sidecar || pod.containers.iter().any(|o| o.name == c.name))
        .find(|c| !c.is_ready && c.is_running());
    match lagging {
        Some(container) => lagging_container(cluster, pod, container),
        None => closed_gate(pod),
    }
}

fn lagging_container(cluster: &Cluster, pod: &Pod, container: &Container) -> Option<Symptom> {
    let since = container.runs_since();
    let runs_s = cluster.age_s(since);
    let failed = events(cluster, pod, container)
        .filter(|e| e.reason == "Unhealthy")
        .filter(|e| e.last.is_none() || since.is_none() || e.last >= since)
        .last();
    if failed.is_none() && runs_s.is_some_and(|s| s < STARTING_S) {
        return None;
    }
    let starts = container.has_started == Some(false) && container.probes.startup.is_some();
    let kind = match failed.map(|e| e.message.split(' ').next().unwrap_or_default()) {
        _ if starts => "startup",
        Some("Liveness") => "liveness",
        Some("Startup") => "startup",
        _ => "readiness",
    };
    let probe = match kind {
        "startup" => container.probes.startup.as_ref(),
        "liveness" => container.probes.liveness.as_ref(),
        _ => container.probes.readiness.as_ref(),
    };
    let name = &container.name;
    let shown = shown(probe);
    let ran = runs_s.map_or_else(String::new, |s| format!(" for {}", span(s)));
    let phrase = format!("not ready: container {name} runs but its {kind} probe fails{shown}");
    let said = failed.map_or_else(String::new, |e| {
        format!(" It says: {}.", phrase::said(&e.message))
    });
    let mut symptom = Symptom::new(Cause::Readiness, format!("{name}:{kind}"), phrase).because(
        format!(
            "Container {name} has run{ran} but is not ready: its {kind} probe{shown} does not \
             pass, so the pod gets no traffic.{said}{} It was placed, pulled and started: the \
             fault is in what the probe asks, or in the program behind it.",
            port_hint(container, probe)
        ),
        format!(
            "Ask the probe's question inside the pod ({}) and mend the program, what it depends \
             on, or the probe's port, path or timing.",
            probe.map_or("see the pod template", |p| p.shown.as_str())
        ),
    );
    symptom.evidence.push(format!(
        "{}: container {name} running{ran}, ready false",
        pod.key
    ));
    symptom
        .evidence
        .extend(failed.map(|e| format!("{}: {}", pod.key, e.shown())));
    if failed.is_none() {
        symptom.confidence = 0.7;
    }
    Some(symptom)
}

/// All containers are ready, but a condition that the pod demands is not true.
fn closed_gate(pod: &Pod) -> Option<Symptom> {
    let is_open = |gate: &&String| pod.condition(gate).is_some_and(|c| c.status == "True");
    let gate = pod.readiness_gates.iter().find(|g| !is_open(g))?;
    let condition = pod.condition(gate);
    let so = condition.map_or("is not set by anybody".to_owned(), |c| {
        format!("is {} ({} {})", c.status, c.reason, c.message)
    });
    Some(
        Symptom::new(
            Cause::Readiness,
            format!("gate:{gate}"),
            format!("not ready: readiness gate {gate} is not true"),
        )
        .because(
            format!(
                "All containers are ready, but the pod demands the condition {gate} as a readiness \
                 gate, and that {so}. The controller that sets it (often a load balancer's) has \
                 not said yes."
            ),
            format!("Look at the controller that sets {gate}."),
        )
        .seen([format!("{}: readiness gate {gate} {so}", pod.key)]),
    )
}
