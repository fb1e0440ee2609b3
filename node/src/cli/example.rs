//! `domo example sre SKILL`, hidden: an agent of the example, as its workers' containers start it.

use std::path::PathBuf;
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
        let Of::Sre { skill } = &self.of;
        agent::run(
            skill,
            &folder(INPUT_VARIABLE, "in"),
            &folder(OUTPUT_VARIABLE, "out"),
        )
    }
}
