//! `domo secret list`: for which targets the node that is asked has secrets.

use clap::Args;

use super::console::Console;
use super::print::{self, Paper};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::SecretPage;

/// List for which targets the asked node has secrets, never the secrets themselves
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo secret list
  domo secret list --output json")]
pub(crate) struct SecretList {}

impl Verb for SecretList {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let page = console
            .ask(async |client| Ok(client.secrets().await?))
            .await?;
        if page.secrets.is_empty() {
            print::note(&format!("node {} has no secrets", page.node));
        }
        console.list(&page, page.secrets.is_empty(), None, table)
    }
}

fn table(page: &SecretPage, paper: &Paper) -> String {
    let rows = page.secrets.iter().map(|secret| {
        [
            secret.target.clone(),
            secret.header.clone(),
            page.node.clone(),
        ]
    });
    paper.table(["TARGET", "HEADER", "ON NODE"], rows.collect())
}
