//! `domo chaos warden`, hidden: makes the faults of a chaos run on its node, and takes them off.

use std::error::Error as _;
use std::path::PathBuf;

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use crate::chaos;

/// Do a node's part of a chaos run; started by its daemon
#[derive(Args, Debug)]
#[command(hide = true)]
pub(crate) struct ChaosWarden {
    /// The node's data folder
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Verb for ChaosWarden {
    async fn run(self, _: &Console) -> Result<(), Stop> {
        chaos::watch(&self.data).await.map_err(|broken| {
            let cause = broken.source().map(|cause| format!(": {cause}"));
            Stop::mend(format!("{broken}{}", cause.unwrap_or_default()), "")
        })
    }
}
