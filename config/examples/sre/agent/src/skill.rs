//! The skills: each asks one question of the recording.

mod plan;
mod resource_bottleneck;
mod root_cause;
mod status;
mod view;
mod weigh;

use std::path::Path;

use crate::contract::{Assignment, Failure, Progress};
use crate::diagnose::Diagnosis;
use crate::outcome::{Finding, Outcome, Severity};
use crate::recording::Recording;

/// What to record, for people who attached nothing that can be used.
const HOW_TO_RECORD: &str = "Attach what `kubectl get nodes,pods,pvc,pv,events,storageclass -A -o json` prints, as one \
     file or as a folder of files.";

/// Events that are listed where there is nothing else.
const MAX_EVENTS: usize = 20;

/// Answers the question of the skill called `name`.
pub fn answer(name: &str, input: &Path, progress: &mut Progress) -> Result<Outcome, Failure> {
    let ask: fn(&Question<'_>, &mut Progress) -> Outcome = match name {
        "plan" => return plan::answer(&Assignment::read(input)?, progress),
        "instance-status" => status::answer,
        "resource-bottleneck" => resource_bottleneck::answer,
        "k8s-root-cause" => root_cause::answer,
        _ => return Err(Failure::ChooseSkill(name.to_owned())),
    };
    let assignment = Assignment::read(input)?;
    if assignment.card.brief_version > 1 {
        let version = assignment.card.brief_version;
        progress.say(&format!(
            "The brief was amended: working on version {version} of it."
        ));
    }
    let recording = Recording::read(&assignment.attachments());
    progress.say(&format!("Read {}.", recording.shown()));
    let diagnosis = Diagnosis::of(&recording.cluster, &assignment.brief);
    let question = Question {
        assignment: &assignment,
        recording: &recording,
        diagnosis: &diagnosis,
    };
    let mut outcome = ask(&question, progress);
    outcome.findings.extend(recording.findings());
    if recording.is_damaged() {
        outcome.confidence *= 0.8;
        outcome
            .summary
            .push_str(" The recording is incomplete: see the damaged files.");
    }
    progress.say("The result is ready.");
    Ok(outcome)
}

/// All that a skill looks at.
struct Question<'a> {
    assignment: &'a Assignment,
    recording: &'a Recording,
    diagnosis: &'a Diagnosis<'a>,
}

impl Question<'_> {
    /// The outcome when there is nothing to diagnose.
    fn without_recording(&self) -> Outcome {
        let events = &self.recording.cluster.events;
        let (title, what) = if events.is_empty() {
            (
                "No usable recording of a cluster",
                "Nothing could be diagnosed: the attachments hold no Kubernetes objects.",
            )
        } else {
            (
                "The recording holds events only",
                "Nothing could be diagnosed: events tell what happened, not what is so now, and \
                 the objects that they speak of were not recorded.",
            )
        };
        let mut outcome = Outcome::new(what, 0.0);
        outcome.recommendation = Some(HOW_TO_RECORD.to_owned());
        let warnings = events
            .iter()
            .rev()
            .filter(|e| e.is_warning)
            .take(MAX_EVENTS);
        let lines = warnings.map(|e| format!("{} {}: {}", e.kind, e.object, e.shown()));
        let finding =
            Finding::new(Severity::Warning, title, format!("{what} {HOW_TO_RECORD}")).with(lines);
        outcome.findings.push(finding);
        outcome
    }
}
