//! `domo worker list`: workers in lines.

use clap::Args;

use super::console::Console;
use super::print::{self, Paper, word};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::{WorkerPage, WorkerQuery};

/// The words of `--status`.
const STATUSES: [&str; 4] = ["homeless", "asleep", "idle", "busy"];

/// List workers
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo worker list
  domo worker list --team sre --status busy,idle
  domo worker list --limit 100 --after sre/k8s-root-cause --output json")]
pub(crate) struct WorkerList {
    /// Only workers of this team
    #[arg(long)]
    team: Option<String>,
    /// Only workers that are at this; several with commas
    #[arg(long, value_delimiter = ',', value_parser = STATUSES)]
    status: Vec<String>,
    /// Lines at most
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,
    /// Goes on after this one, which an earlier list named
    #[arg(long, value_name = "TEAM/WORKER")]
    after: Option<String>,
}

impl Verb for WorkerList {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let query = WorkerQuery {
            team: self.team,
            status: (!self.status.is_empty()).then(|| self.status.join(",")),
            limit: self.limit,
            after: self.after,
        };
        let page = console
            .ask(async |client| Ok(client.workers(&query).await?))
            .await?;
        if page.workers.is_empty() {
            print::note("no workers");
        }
        console.list(&page, page.workers.is_empty(), page.next.as_deref(), table)
    }
}

fn table(page: &WorkerPage, paper: &Paper) -> String {
    let rows = page.workers.iter().map(|worker| {
        let title = match (worker.is_butler, worker.title.is_empty()) {
            (true, true) => "the butler's own agent".to_owned(),
            _ => worker.title.clone(),
        };
        [
            worker.id.clone(),
            word(&worker.status),
            worker.node.clone().unwrap_or_default(),
            worker.epoch.to_string(),
            format!("{}/{}", worker.running.len(), worker.parallel),
            worker.skills.join(" "),
            title,
        ]
    });
    paper.table(
        [
            "WORKER", "STATUS", "NODE", "EPOCH", "RUNS", "SKILLS", "TITLE",
        ],
        rows.collect(),
    )
}
