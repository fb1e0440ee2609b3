//! `domo human list`: people in lines.

use clap::Args;

use super::console::Console;
use super::print::{self, Paper};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::{HumanLine, HumanPage, HumanQuery, TeamRole};

/// List the people whose teams you may read
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo human list
  domo human list --team sre --output json")]
pub(crate) struct HumanList {
    /// Only people of this team
    #[arg(long)]
    team: Option<String>,
    /// Lines at most
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,
    /// Goes on after this one, which an earlier list named
    #[arg(long, value_name = "HUMAN")]
    after: Option<String>,
}

impl Verb for HumanList {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let query = HumanQuery {
            team: self.team,
            limit: self.limit,
            after: self.after,
        };
        let page = console
            .ask(async |client| Ok(client.humans(&query).await?))
            .await?;
        if page.humans.is_empty() {
            print::note("no accounts; `domo human add` makes one");
        }
        console.list(&page, page.humans.is_empty(), page.next.as_deref(), table)
    }
}

fn table(page: &HumanPage, paper: &Paper) -> String {
    let rows = page.humans.iter().map(|human| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (display, employee) = (text(&human.display), text(&human.employee));
        [human.name.clone(), display, employee, roles(human)]
    });
    paper.table(["HUMAN", "NAME", "EMPLOYEE", "ROLES"], rows.collect())
}

/// What somebody is, in words.
pub(super) fn roles(human: &HumanLine) -> String {
    let admin = human.is_admin.then(|| "admin".to_owned());
    let roles = human.roles.iter().map(|role| match role.role {
        TeamRole::Lead => format!("lead of {}", role.team),
        TeamRole::Member => format!("member of {}", role.team),
    });
    let roles: Vec<String> = admin.into_iter().chain(roles).collect();
    roles.join(", ")
}
