//! `domo worker replace`: gives a worker a new container; what it was doing is done anew.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use super::worker_name::WorkerName;
use crate::admin::wire::ReplaceWorker;

/// Give a worker a new container
///
/// What it was doing is taken back and done anew; its epoch rises.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo worker replace sre/k8s-root-cause
  domo worker replace sre/k8s-root-cause --reason \"it hangs\"")]
pub(crate) struct WorkerReplace {
    /// The worker, as in sre/k8s-root-cause
    #[arg(value_name = "TEAM/WORKER")]
    worker: WorkerName,
    /// Why
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for WorkerReplace {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let WorkerName { team, name } = &self.worker;
        let why = ReplaceWorker {
            reason: self.reason,
        };
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.replace_worker(team, name, &why, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("worker {team}/{name} gets a new container"))
    }
}
