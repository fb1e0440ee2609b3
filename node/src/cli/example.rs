//! `domo example …`, hidden: the agents of the example and of the canary, as their containers start them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

/// What the contract with the agent calls the folder of the input.
const INPUT_VARIABLE: &str = "MAJORDOMO_IN";
/// The same for the output.
const OUTPUT_VARIABLE: &str = "MAJORDOMO_OUT";

/// An agent of an example; started by its workers' containers
#[derive(Args, Debug)]
pub(crate) struct Example {
    #[command(subcommand)]
    of: Of,
}

#[derive(Subcommand, Debug)]
enum Of {
    /// Says that it lives
    Canary,
    /// Diagnoses a recorded Kubernetes cluster
    Sre {
        /// What to look for
        #[arg(value_parser = agent::SKILLS)]
        skill: String,
    },
}

impl Example {
    /// Runs one attempt, in the folders that the environment names.
    pub(crate) fn run(&self) -> ExitCode {
        let folder = |variable, usual: &str| {
            std::env::var_os(variable).map_or_else(|| PathBuf::from(usual), PathBuf::from)
        };
        let out = folder(OUTPUT_VARIABLE, "out");
        match &self.of {
            Of::Canary => sing(&out),
            Of::Sre { skill } => agent::run(skill, &folder(INPUT_VARIABLE, "in"), &out),
        }
    }
}

/// What the canary leaves: a result, whole or not at all.
fn sing(out: &Path) -> ExitCode {
    let new = out.join("result.json.new");
    let written = std::fs::write(&new, "{\"version\":1,\"summary\":\"it sings\"}")
        .and_then(|()| std::fs::rename(&new, out.join("result.json")));
    if written.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
