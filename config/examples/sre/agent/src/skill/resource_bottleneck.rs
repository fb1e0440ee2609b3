//! Skill `resource-bottleneck`: what is short, in numbers?

use std::collections::BTreeSet;

use crate::contract::Progress;
use crate::diagnose::fault::{Cause, Fault};
use crate::diagnose::room;
use crate::kube::workload::Quota;
use crate::outcome::{Finding, Outcome, Severity};
use crate::phrase;
use crate::schedule::world::World;

use super::{Question, view};

/// Nodes in the table.
const MAX_NODES: usize = 30;
/// A node or quota counts as nearly full from this share on, in percent.
const NEARLY_FULL: i64 = 90;

/// Answers the question.
pub fn answer(question: &Question<'_>, progress: &mut Progress) -> Outcome {
    if question.recording.is_empty() {
        return question.without_recording();
    }
    let diagnosis = question.diagnosis;
    let short: Vec<&Fault> = diagnosis.present().filter(|f| is_bottleneck(f)).collect();
    let cluster = &question.recording.cluster;
    progress.say(&format!(
        "Added up the requests of {} on {}.",
        phrase::count(cluster.pods.len(), "pod"),
        phrase::count(cluster.nodes.len(), "node")
    ));
    let named = view::about_names(diagnosis);
    let summary = match short.first() {
        None => {
            let none = if diagnosis.present().next().is_none() {
                "No fault found, no bottleneck"
            } else {
                "No bottleneck found"
            };
            format!("{named}{none}: no pod waits for room and no quota stops one.")
        }
        Some(first) => {
            let more = match short.len() - 1 {
                0 => String::new(),
                n => format!(
                    " {} besides.",
                    phrase::sentence(&phrase::count(n, "further bottleneck"))
                ),
            };
            format!(
                "{named}{}. {}{more}",
                first.title,
                first_sentence(&first.cure)
            )
        }
    };
    let mut outcome = Outcome::new(summary, short.first().map_or(0.9, |f| f.confidence));
    outcome
        .findings
        .extend(short.iter().map(|f| view::finding(diagnosis, f)));
    outcome.findings.extend(table(question));
    outcome
        .findings
        .extend(cluster.quotas.values().filter_map(quota_finding));
    let cures: BTreeSet<&str> = short
        .iter()
        .map(|f| f.cure.as_str())
        .filter(|c| !c.is_empty())
        .collect();
    outcome.recommendation =
        (!cures.is_empty()).then(|| cures.into_iter().collect::<Vec<_>>().join(" "));
    let workloads: BTreeSet<_> = short.iter().flat_map(|f| f.workloads.iter()).collect();
    outcome.impact = diagnosis.population.impact(workloads);
    outcome
}

/// Is too little of something what is wrong?
fn is_bottleneck(fault: &Fault) -> bool {
    matches!(
        fault.cause,
        Cause::Shortage
            | Cause::TooLarge
            | Cause::Cordon
            | Cause::Taint
            | Cause::Selector
            | Cause::Apart
            | Cause::Spread
            | Cause::Near
            | Cause::HostPort
            | Cause::NodePressure
            | Cause::Evicted
            | Cause::OutOfMemory
    ) || (fault.cause == Cause::Creation && fault.explanation.contains("quota"))
}

fn first_sentence(text: &str) -> String {
    text.split_once(". ")
        .map_or_else(|| text.to_owned(), |(first, _)| format!("{first}."))
}

/// What each node has, what is asked of it, what is free.
fn table(question: &Question<'_>) -> Option<Finding> {
    let world = World::of(&question.recording.cluster);
    if world.slots.is_empty() {
        return None;
    }
    let mut nearly_full = 0;
    let lines: Vec<String> = world
        .slots
        .iter()
        .map(|slot| {
            let mut resources = vec!["cpu".to_owned(), "memory".to_owned()];
            let extended = slot
                .node
                .allocatable
                .iter()
                .filter(|(n, a)| n.contains('/') && a.is_positive());
            resources.extend(extended.map(|(n, _)| n.to_owned()));
            let full = resources
                .iter()
                .any(|r| slot.used.get(r).percent_of(slot.node.allocatable.get(r)) >= NEARLY_FULL);
            nearly_full += usize::from(full);
            format!("{}: {}", slot.node.name, room::load(slot, &resources))
        })
        .collect();
    let more = lines.len().saturating_sub(MAX_NODES);
    let mut lines: Vec<String> = lines.into_iter().take(MAX_NODES).collect();
    if more > 0 {
        lines.push(format!("and {}", phrase::count(more, "more node")));
    }
    let title = format!(
        "Requests against allocatable on {}: {nearly_full} at {NEARLY_FULL} % or more",
        phrase::count(world.slots.len(), "node")
    );
    let detail = "What the pods on each node request together, which is what the scheduler counts; \
                  it says nothing about what they use.";
    Some(Finding::new(Severity::Info, title, detail).with(lines))
}

/// A quota that is used up or nearly.
fn quota_finding(quota: &Quota) -> Option<Finding> {
    let full: Vec<&str> = quota
        .hard
        .iter()
        .filter(|(r, hard)| {
            hard.is_positive() && quota.used.get(r).percent_of(*hard) >= NEARLY_FULL
        })
        .map(|(r, _)| r)
        .collect();
    if full.is_empty() {
        return None;
    }
    let lines = quota.hard.iter().map(|(r, hard)| {
        format!(
            "quota {}: {r} {} of {}",
            quota.key,
            quota.used.get(r).shown(r),
            hard.shown(r)
        )
    });
    let title = format!(
        "Quota {} is nearly or wholly used up: {}",
        quota.key,
        phrase::names(full, 5)
    );
    let detail = "New pods of the namespace are refused once they would exceed the quota.";
    Some(Finding::new(Severity::Info, title, detail).with(lines))
}
