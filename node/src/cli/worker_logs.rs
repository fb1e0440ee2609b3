//! `domo worker logs`: the log of a worker's container.

use clap::Args;

use super::console::Console;
use super::logs;
use super::stop::Stop;
use super::verb::Verb;
use super::worker_name::WorkerName;
use crate::admin::wire::WorkerLogQuery;

/// Print the log of a worker's container: its starts and ends
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo worker logs sre/k8s-root-cause
  domo worker logs sre/k8s-root-cause --follow")]
pub(crate) struct WorkerLogs {
    /// The worker, as in sre/k8s-root-cause
    #[arg(value_name = "TEAM/WORKER")]
    worker: WorkerName,
    /// Goes on until it is interrupted
    #[arg(long, short)]
    follow: bool,
}

impl Verb for WorkerLogs {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let WorkerName { team, name } = &self.worker;
        let query = WorkerLogQuery {
            follow: self.follow,
        };
        console
            .ask(async |client| {
                let log = client.worker_log(team, name, &query).await?;
                logs::print(console.printer, log).await
            })
            .await
    }
}
