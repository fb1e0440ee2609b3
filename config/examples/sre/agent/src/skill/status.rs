//! Skill `instance-status`: in what state are the pods and nodes?

use std::collections::BTreeMap;

use crate::contract::Progress;
use crate::diagnose::population::Population;
use crate::kube::pod::{Phase, Pod};
use crate::outcome::{Finding, Outcome, Severity};
use crate::phrase;

use super::{Question, view};

/// Pods that are listed one by one when the brief names them.
const MAX_LISTED: usize = 20;

/// Answers the question.
pub fn answer(question: &Question<'_>, progress: &mut Progress) -> Outcome {
    if question.recording.is_empty() {
        return question.without_recording();
    }
    let diagnosis = question.diagnosis;
    let population = &diagnosis.population;
    let cluster = population.cluster;
    let pods = pods_in_words(cluster.pods.values());
    progress.say(&format!("Looked at {pods}."));
    let tally = view::tally(diagnosis);
    let named = view::about_names(diagnosis);
    let asked = asked(question);
    let summary = match (&asked, tally.as_str()) {
        (_, "") => format!(
            "{named}No fault found: {pods}, {}.",
            nodes_in_words(question)
        ),
        (Some(finding), tally) => format!("{named}{}. In all {tally}: {pods}.", finding.title),
        (None, tally) => {
            let first = diagnosis.present().next().map_or("", |f| f.title.as_str());
            let tally = phrase::sentence(tally);
            let nodes = nodes_in_words(question);
            format!("{named}{tally} in {pods}, {nodes}. The first: {first}.")
        }
    };
    let mut outcome = Outcome::new(summary, 0.95);
    outcome.findings.extend(asked);
    outcome.findings.extend(view::names_finding(diagnosis));
    outcome
        .findings
        .extend(diagnosis.present().map(|f| view::finding(diagnosis, f)));
    outcome.findings.push(overview(question));
    let traces = diagnosis.faults.iter().filter(|f| !f.is_present());
    outcome
        .findings
        .extend(traces.map(|f| view::finding(diagnosis, f)));
    let suffering: std::collections::BTreeSet<_> = diagnosis
        .present()
        .flat_map(|f| f.workloads.iter())
        .collect();
    outcome.impact = population.impact(suffering);
    outcome
}

/// The state of what the brief names, pod by pod.
fn asked(question: &Question<'_>) -> Option<Finding> {
    let diagnosis = question.diagnosis;
    let population = &diagnosis.population;
    let keys = diagnosis.focus.pods(population);
    let pods: Vec<&Pod> = keys
        .iter()
        .filter_map(|k| population.cluster.pods.get(k))
        .collect();
    if pods.is_empty() {
        return None;
    }
    let concerned: Vec<_> = diagnosis
        .present()
        .filter(|f| diagnosis.focus.concerns(f))
        .collect();
    let severity = concerned
        .iter()
        .map(|f| f.severity)
        .max()
        .unwrap_or(Severity::Info);
    let what = phrase::names(&diagnosis.focus.understood, 3);
    let title = format!("{what}: {}", pods_in_words(pods.iter().copied()));
    let detail = match concerned.first() {
        None => format!("Nothing is wrong with {what} in the recording."),
        Some(first) => first.explanation.clone(),
    };
    let lines = pods
        .iter()
        .take(MAX_LISTED)
        .map(|p| pod_line(population, p));
    Some(Finding::new(severity, title, detail).with(lines))
}

/// `mse/web-1 (Deployment mse/web): Running, 1/1 ready, 3 restarts, on work-a`.
fn pod_line(population: &Population<'_>, pod: &Pod) -> String {
    let ready = pod.containers.iter().filter(|c| c.is_ready).count();
    let mut line = format!(
        "{} ({}): {}, {ready}/{} ready, {} restarts",
        pod.key,
        population.workload(pod),
        status_word(pod),
        pod.containers.len(),
        pod.restarts()
    );
    match &pod.node {
        Some(node) => line = format!("{line}, on {node}"),
        None => line.push_str(", on no node"),
    }
    line
}

/// The word that kubectl shows in its STATUS column.
fn status_word(pod: &Pod) -> String {
    if pod.deleted.is_some() {
        return "Terminating".to_owned();
    }
    if !pod.reason.is_empty() {
        return pod.reason.clone();
    }
    let init = pod
        .init
        .iter()
        .find_map(|c| c.waits_for().map(|(r, _)| format!("Init:{r}")));
    let main = pod
        .containers
        .iter()
        .find_map(|c| c.waits_for().map(|(r, _)| r.to_owned()));
    let waits = init.filter(|r| !r.ends_with("PodInitializing")).or(main);
    match (waits.filter(|r| !r.is_empty()), pod.phase) {
        (Some(reason), _) => reason,
        (None, Phase::Succeeded) => "Completed".to_owned(),
        (None, phase) => format!("{phase:?}"),
    }
}

/// `22 pods (17 Running, 5 Pending)`.
fn pods_in_words<'p>(pods: impl Iterator<Item = &'p Pod>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut all = 0;
    for pod in pods {
        let unready = pod.phase == Phase::Running && !pod.is_ready() && pod.deleted.is_none();
        let word = status_word(pod);
        let word = if unready && word == "Running" {
            "Running but not ready".to_owned()
        } else {
            word
        };
        *counts.entry(word).or_default() += 1;
        all += 1;
    }
    let mut parts: Vec<(String, usize)> = counts.into_iter().collect();
    parts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let shown = phrase::names(parts.iter().map(|(word, n)| format!("{n} {word}")), 6);
    format!("{} ({shown})", phrase::count(all, "pod")).replace(" ()", "")
}

fn nodes_in_words(question: &Question<'_>) -> String {
    let nodes = &question.recording.cluster.nodes;
    if nodes.is_empty() {
        return "no nodes recorded".to_owned();
    }
    let ill = nodes.values().filter(|n| n.unready().is_some()).count();
    let cordoned = nodes.values().filter(|n| n.is_cordoned).count();
    let mut parts = vec![format!(
        "{} of {} ready",
        nodes.len() - ill,
        phrase::count(nodes.len(), "node")
    )];
    if cordoned > 0 {
        parts.push(format!("{cordoned} cordoned"));
    }
    parts.join(", ")
}

/// Numbers of the whole cluster.
fn overview(question: &Question<'_>) -> Finding {
    let cluster = &question.recording.cluster;
    let mut by_namespace: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    for pod in cluster.pods.values() {
        by_namespace
            .entry(&pod.key.namespace)
            .or_default()
            .push(pod);
    }
    let mut lines: Vec<String> = cluster
        .nodes
        .values()
        .map(|n| {
            let mut words = vec![n.unready().unwrap_or("Ready").to_owned()];
            words.extend(n.is_cordoned.then(|| "cordoned".to_owned()));
            words.extend(n.pressures().iter().map(|c| c.kind.clone()));
            words.extend(n.taints.iter().map(|t| format!("taint {}", t.shown())));
            format!("node {}: {}", n.name, words.join(", "))
        })
        .take(MAX_LISTED)
        .collect();
    lines.extend(
        by_namespace
            .iter()
            .map(|(n, pods)| format!("namespace {n}: {}", pods_in_words(pods.iter().copied())))
            .take(MAX_LISTED),
    );
    lines.extend(question.recording.sources());
    if let Some(now) = cluster.now {
        lines.push(format!("latest moment in the recording: {now}"));
    }
    let title = format!(
        "{}, {}",
        pods_in_words(cluster.pods.values()),
        nodes_in_words(question)
    );
    let detail = format!("Taken from {}.", question.recording.shown());
    Finding::new(Severity::Info, title, detail).with(lines)
}
