//! `domo worker explain`: why a worker is where it is.

use clap::Args;

use super::console::Console;
use super::explain::view;
use super::stop::Stop;
use super::verb::Verb;
use super::worker_name::WorkerName;

/// Explain why a worker is where it is, and what speaks for and against each node
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo worker explain sre/k8s-root-cause")]
pub(crate) struct WorkerExplain {
    /// The worker, as in sre/k8s-root-cause
    #[arg(value_name = "TEAM/WORKER")]
    worker: WorkerName,
}

impl Verb for WorkerExplain {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let WorkerName { team, name } = &self.worker;
        let explained = console
            .ask(async |client| Ok(client.explain_worker(team, name).await?))
            .await?;
        console.printer.show(&explained, view)?;
        Ok(())
    }
}
