//! The agents of the `sre` example: they diagnose Kubernetes faults from a recording.
//!
//! ```text
//!   in/attachments ──► recording ──► kube::Cluster ──► diagnose ──► Outcome ──► out/result.json
//!                                         │                ▲
//!                                         └── schedule ────┘   what the scheduler would say, and
//!                                                              what would cure a shortage
//! ```
//!
//! The recording is what `kubectl get nodes,pods,pvc,pv,events,storageclass -A -o json` prints, as
//! one file or as a folder of files. One attempt runs one skill ([`SKILLS`]).
//!
//! # Invariant
//! Nothing but the input folder is read: no clock, no network, no environment. The same input
//! gives the same result, whatever the order of the objects in it.
//!
//! # Why
//! The example has to run in an empty container on a machine that has nothing else, so its agents
//! are a library inside `domo` itself, with no dependency but JSON. They reason from the objects
//! and from Kubernetes' rules; an event counts only where the present state agrees with it.

pub mod contract;
pub mod outcome;

mod diagnose;
mod kube;
mod phrase;
mod recording;
mod schedule;
mod skill;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use contract::{Failure, Progress};
use outcome::Outcome;

/// The skills, by the names that playbooks and teams use.
pub const SKILLS: [&str; 4] = [
    "instance-status",
    "resource-bottleneck",
    "k8s-root-cause",
    "plan",
];

/// Runs one attempt: reads `input`, writes progress and the result into `output`.
///
/// The exit code is 0 when a result was written, also for "no fault found"; otherwise 1, and one
/// line on stderr says what is wrong and what to do.
pub fn run(skill: &str, input: &Path, output: &Path) -> ExitCode {
    let mut progress = Progress::into_folder(output);
    let written = diagnose(skill, input, &mut progress).and_then(|outcome| {
        outcome.write(output).map_err(|error| {
            Failure::MakeRoom(format!(
                "result.json cannot be written into {}: {error}; make the folder writable and \
                 see that there is room",
                output.display()
            ))
        })
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where even stderr is closed, the exit code is all that is left to say.
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Answers one skill's question about the input folder, within the limits of [`outcome`].
pub fn diagnose(skill: &str, input: &Path, progress: &mut Progress) -> Result<Outcome, Failure> {
    skill::answer(skill, input, progress).map(Outcome::within_limits)
}
