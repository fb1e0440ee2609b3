//! `domo team list`: teams in lines.

use clap::Args;

use super::console::Console;
use super::print::{self, Paper};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::{TeamPage, TeamQuery};

/// List teams
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo team list
  domo team list --limit 20 --after sre --output json")]
pub(crate) struct TeamList {
    /// Lines at most
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,
    /// Goes on after this one, which an earlier list named
    #[arg(long, value_name = "TEAM")]
    after: Option<String>,
}

impl Verb for TeamList {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let query = TeamQuery {
            limit: self.limit,
            after: self.after,
        };
        let page = console
            .ask(async |client| Ok(client.teams(&query).await?))
            .await?;
        if page.teams.is_empty() {
            print::note("no teams; describe one with `domo apply -f FOLDER`");
        }
        console.list(&page, page.teams.is_empty(), page.next.as_deref(), table)
    }
}

fn table(page: &TeamPage, paper: &Paper) -> String {
    let rows = page.teams.iter().map(|team| {
        [
            team.name.clone(),
            team.butler.clone(),
            team.node.clone().unwrap_or_default(),
            team.workers.to_string(),
            team.open_cases.to_string(),
            team.waiting_stages.to_string(),
            team.title.clone(),
        ]
    });
    paper.table(
        [
            "TEAM", "BUTLER", "NODE", "WORKERS", "OPEN", "WAITING", "TITLE",
        ],
        rows.collect(),
    )
}
