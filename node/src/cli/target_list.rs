//! `domo target list`: targets in lines.

use clap::Args;

use super::console::Console;
use super::print::{self, Paper, word};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::{MethodClass, Target, TargetPage};

/// List what agents may reach
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo target list
  domo target list --output json")]
pub(crate) struct TargetList {}

impl Verb for TargetList {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let page = console
            .ask(async |client| Ok(client.targets().await?))
            .await?;
        if page.targets.is_empty() {
            print::note("agents may reach nothing; `domo target add` adds a target");
        }
        console.list(&page, page.targets.is_empty(), None, table)
    }
}

fn table(page: &TargetPage, paper: &Paper) -> String {
    let rows = page.targets.iter().map(row);
    paper.table(
        ["TARGET", "ADDRESS", "METHODS", "FOR", "SECRET"],
        rows.collect(),
    )
}

fn row(target: &Target) -> [String; 5] {
    let of = |wanted: MethodClass| {
        let methods = target.methods.iter();
        let methods = methods.filter(|(_, class)| **class == wanted);
        let methods: Vec<&str> = methods.map(|(method, _)| method.as_str()).collect();
        (!methods.is_empty()).then(|| format!("{} {}", word(&wanted), methods.join(" ")))
    };
    let classes = [MethodClass::Read, MethodClass::Keyed, MethodClass::Unkeyed];
    let methods: Vec<String> = classes.into_iter().filter_map(of).collect();
    let secret = if target.needs_secret { "needed" } else { "" };
    [
        target.name.clone(),
        target.address.clone(),
        methods.join(", "),
        target.teams.join(", "),
        secret.to_owned(),
    ]
}
