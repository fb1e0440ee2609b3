//! `domo cluster tokens`: the join tokens that are still good.

use clap::Args;

use super::console::Console;
use super::moment::rough;
use super::print::{self, Paper};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::TokenPage;

/// List the join tokens that are still good, without their secrets
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo cluster tokens
  domo cluster tokens --output json")]
pub(crate) struct ClusterTokens {}

impl Verb for ClusterTokens {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let page = console
            .ask(async |client| Ok(client.tokens().await?))
            .await?;
        if page.tokens.is_empty() {
            print::note("no token is good; `domo cluster token` makes one");
        }
        console.list(&page, page.tokens.is_empty(), None, table)
    }
}

fn table(page: &TokenPage, paper: &Paper) -> String {
    let rows = page.tokens.iter().map(|token| {
        let (made, left) = (paper.when(&token.minted), rough(token.left_ms));
        [token.name.clone(), token.minted_by.clone(), made, left]
    });
    paper.table(["TOKEN", "MADE BY", "MADE", "GOOD FOR"], rows.collect())
}
