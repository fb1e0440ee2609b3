//! Skill `k8s-root-cause`: which fault explains what the brief asks, and why do the others not?

use std::collections::BTreeSet;

use crate::contract::Progress;
use crate::diagnose::fault::{Cause, Fault};
use crate::diagnose::link;
use crate::kube::workload::WorkloadId;
use crate::outcome::{Finding, Outcome, Severity};
use crate::phrase;

use super::{Question, view, weigh};

/// Separate faults that are named in the recommendation.
const MAX_SEPARATE: usize = 3;

/// Answers the question.
pub fn answer(question: &Question<'_>, progress: &mut Progress) -> Outcome {
    let earlier = Earlier::read(question);
    progress.say(&format!(
        "Read {} of earlier stages.",
        phrase::count(earlier.count, "result")
    ));
    if question.recording.is_empty() {
        return earlier.alone(question.without_recording());
    }
    let diagnosis = question.diagnosis;
    let mut outcome = match diagnosis.primary() {
        Some(primary) => found(question, primary, progress),
        None if diagnosis.present().next().is_some() => elsewhere(question),
        None => healthy(question),
    };
    outcome.findings.extend(view::names_finding(diagnosis));
    outcome.findings.extend(earlier.finding(question));
    let told = diagnosis.primary();
    let traces = diagnosis
        .faults
        .iter()
        .enumerate()
        .filter(|(i, f)| !f.is_present() && Some(*i) != told);
    outcome
        .findings
        .extend(traces.map(|(_, f)| view::finding(diagnosis, f)));
    outcome
}

/// A fault answers the brief.
fn found(question: &Question<'_>, primary: usize, progress: &mut Progress) -> Outcome {
    let diagnosis = question.diagnosis;
    let faults = &diagnosis.faults;
    let root = link::root(faults, primary);
    let (main, cause) = (&faults[primary], &faults[root]);
    progress.say(&format!(
        "Weighed {} and chose one.",
        phrase::count(diagnosis.present().count(), "candidate")
    ));
    let roots = faults
        .iter()
        .enumerate()
        .filter(|(i, f)| f.is_present() && *i != root && link::root(faults, *i) == *i);
    let (same, others): (Vec<&Fault>, Vec<&Fault>) =
        roots.map(|(_, f)| f).partition(|f| is_same(cause, f));
    let separate: Vec<&Fault> = others
        .into_iter()
        .filter(|f| f.severity == Severity::Critical)
        .collect();
    let also = beside(same.len(), &separate);
    let named = view::about_names(diagnosis);
    let mut outcome = Outcome::new(format!("{named}Root cause: {}.{also}", cause.title), 0.0);
    let mut told = format!("{}. {}", cause.title, cause.explanation);
    if root != primary {
        told = format!(
            "{told} It explains what was asked: {} ({}).",
            main.title, main.link
        );
    }
    outcome.root_cause = Some(told);
    let mut advice = cause.cure.clone();
    for other in separate.iter().take(MAX_SEPARATE) {
        advice = format!(
            "{advice} Separately ({}): {}",
            phrase::line(&other.title, 120),
            other.cure
        );
    }
    outcome.recommendation = Some(advice);
    outcome.impact = impact(question, root);
    let chain = link::chain(faults, primary);
    let least = chain
        .iter()
        .fold(1.0_f64, |least, i| least.min(faults[*i].confidence));
    outcome.confidence = chain[..chain.len() - 1]
        .iter()
        .fold(least, |sure, i| sure * faults[*i].link_confidence);
    outcome.findings.push(view::finding(diagnosis, cause));
    if root != primary {
        outcome.findings.push(view::finding(diagnosis, main));
    }
    outcome.findings.push(weigh::finding(diagnosis, primary));
    let rest = faults
        .iter()
        .enumerate()
        .filter(|(i, f)| f.is_present() && *i != root && *i != primary);
    outcome
        .findings
        .extend(rest.map(|(_, f)| view::finding(diagnosis, f)));
    outcome
}

/// What the summary says beside the root cause.
fn beside(same: usize, separate: &[&Fault]) -> String {
    let also = match same {
        0 => String::new(),
        n => format!(" The same holds up {}.", phrase::count(n, "more workload")),
    };
    match separate {
        [] => also,
        [one] => format!("{also} A separate fault: {}.", one.title),
        more => {
            let count = phrase::sentence(&phrase::count(more.len(), "separate fault"));
            format!("{also} {count} besides.")
        }
    }
}

/// Do two faults have one cause and one cure, though they touch different workloads?
fn is_same(cause: &Fault, other: &Fault) -> bool {
    let of_nodes = matches!(cause.cause, Cause::Shortage | Cause::Cordon | Cause::Taint);
    let first = |f: &Fault| f.cure.split(". ").next().unwrap_or_default().to_owned();
    let registry = |f: &Fault| {
        f.objects
            .iter()
            .find(|o| o.starts_with("registry "))
            .cloned()
    };
    cause.cause == other.cause
        && ((of_nodes && first(cause) == first(other))
            || registry(cause).is_some_and(|r| registry(other) == Some(r)))
}

/// Who suffers from a fault and from all that follows from it.
fn impact(question: &Question<'_>, root: usize) -> Option<String> {
    let diagnosis = question.diagnosis;
    let faults = &diagnosis.faults;
    let suffering: BTreeSet<&WorkloadId> = faults
        .iter()
        .enumerate()
        .filter(|(i, f)| {
            f.is_present() && (link::root(faults, *i) == root || is_same(&faults[root], f))
        })
        .flat_map(|(_, f)| f.workloads.iter())
        .collect();
    let impact = diagnosis.population.impact(suffering);
    impact.or_else(|| Some("No recorded workload suffers from it yet.".to_owned()))
}

/// What the brief names is well, but something else is not.
fn elsewhere(question: &Question<'_>) -> Outcome {
    let diagnosis = question.diagnosis;
    let asked = phrase::names(&diagnosis.focus.understood, 3);
    let named = view::about_names(diagnosis);
    let worst: Vec<&Fault> = diagnosis.present().collect();
    let first = worst.first().map_or("", |f| f.title.as_str());
    let mut outcome = Outcome::new(
        format!(
            "{named}No fault found in {asked} itself. {} elsewhere, the worst: {first}.",
            phrase::sentence(&view::tally(diagnosis))
        ),
        0.4,
    );
    outcome.root_cause = Some(format!(
        "{asked} shows no fault in the recording. The worst fault elsewhere is: {first}; the \
         recording does not show that it touches {asked}."
    ));
    outcome.recommendation = worst.first().map(|f| {
        format!(
            "If {asked} depends on it: {} Otherwise record the cluster while the fault is seen, and \
             look at the logs of {asked}.",
            f.cure
        )
    });
    outcome.impact = diagnosis.population.impact(
        worst
            .iter()
            .flat_map(|f| f.workloads.iter())
            .collect::<BTreeSet<_>>(),
    );
    outcome.findings.push(Finding::new(
        Severity::Info,
        format!("No fault found in {asked}"),
        "Its pods are placed, started and ready, and its volumes are bound.",
    ));
    outcome
        .findings
        .extend(worst.into_iter().map(|f| view::finding(diagnosis, f)));
    outcome
}

fn healthy(question: &Question<'_>) -> Outcome {
    let diagnosis = question.diagnosis;
    let cluster = diagnosis.population.cluster;
    let named = view::about_names(diagnosis);
    let mut outcome = Outcome::new(
        format!(
            "{named}No fault found: {} and {} were looked at, every pod runs or has ended well, and \
             nothing waits.",
            phrase::count(cluster.pods.len(), "pod"),
            phrase::count(cluster.nodes.len(), "node")
        ),
        0.9,
    );
    let finding = Finding::new(
        Severity::Info,
        "No fault found",
        format!("Looked at {}.", question.recording.shown()),
    );
    outcome
        .findings
        .push(finding.with(question.recording.sources()));
    outcome
}

/// What earlier stages of the case found.
struct Earlier {
    count: usize,
    /// `stage: summary`.
    lines: Vec<String>,
    /// Titles of faults that they named.
    titles: Vec<(String, Finding)>,
    cause: Option<String>,
}

impl Earlier {
    fn read(question: &Question<'_>) -> Self {
        let (results, unused) = question.assignment.results();
        let mut earlier = Self {
            count: results.len(),
            lines: Vec::new(),
            titles: Vec::new(),
            cause: None,
        };
        // What was done again for an amended brief stands for what was done before.
        let newest = |stage: &str| {
            let (stem, version) = version_of(stage);
            !results
                .keys()
                .any(|o| version_of(o).0 == stem && version_of(o).1 > version)
        };
        for (stage, result) in results.iter().filter(|(stage, _)| newest(stage)) {
            earlier
                .lines
                .push(format!("stage {stage}: {}", result.summary));
            let faults = result
                .findings
                .iter()
                .filter(|f| f.severity > Severity::Info);
            earlier
                .titles
                .extend(faults.map(|f| (stage.clone(), f.clone())));
            earlier.cause = earlier.cause.or_else(|| result.root_cause.clone());
        }
        earlier
            .titles
            .sort_by(|a, b| b.1.severity.cmp(&a.1.severity).then_with(|| a.0.cmp(&b.0)));
        earlier
            .lines
            .extend(unused.iter().map(|u| format!("not used: stage {u}")));
        earlier
    }

    /// Whether the earlier stages agree with what the recording shows.
    fn finding(&self, question: &Question<'_>) -> Option<Finding> {
        if self.lines.is_empty() {
            return None;
        }
        let own: BTreeSet<String> = question
            .diagnosis
            .faults
            .iter()
            .map(|f| phrase::line(&f.title, crate::outcome::MAX_TITLE_BYTES))
            .collect();
        let (known, new): (Vec<_>, Vec<_>) = self
            .titles
            .iter()
            .partition(|(_, f)| own.contains(&f.title));
        let mut lines = self.lines.clone();
        lines.extend(new.iter().map(|(stage, f)| {
            format!(
                "stage {stage} also says: {}: not seen as a fault of its own in the recording",
                f.title
            )
        }));
        let title = format!(
            "{} of earlier stages weighed: {} confirmed by the recording",
            phrase::sentence(&phrase::count(self.count, "result")),
            phrase::count(known.len(), "fault")
        );
        let detail = "What the earlier stages found was held against the recorded objects again.";
        Some(Finding::new(Severity::Info, title, detail).with(lines))
    }

    /// Without a recording, what was said before is all there is.
    fn alone(self, mut nothing: Outcome) -> Outcome {
        let best = self
            .titles
            .first()
            .map(|(_, f)| format!("{}. {}", f.title, f.detail));
        let Some(cause) = self.cause.or(best) else {
            return nothing;
        };
        let mut outcome = Outcome::new(
            format!(
                "Only earlier stages' results were there, no recording: {}",
                phrase::line(&cause, 400)
            ),
            0.4,
        );
        outcome.root_cause = Some(cause);
        outcome.findings = self.titles.into_iter().map(|(_, f)| f).collect();
        outcome.findings.append(&mut nothing.findings);
        outcome.recommendation = nothing.recommendation;
        outcome
    }
}

/// `("instance-status", 2)` of `instance-status-v2`.
fn version_of(stage: &str) -> (&str, u64) {
    stage
        .rsplit_once("-v")
        .and_then(|(stem, version)| Some((stem, version.parse().ok()?)))
        .unwrap_or((stage, 1))
}
