//! `domo node list`: nodes in lines.

use clap::Args;

use super::console::Console;
use super::print::Paper;
use super::status::nodes_table;
use super::stop::Stop;
use super::verb::Verb;

/// List the nodes of the cluster
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo node list
  domo node list --output json")]
pub(crate) struct NodeList {}

impl Verb for NodeList {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let page = console
            .ask(async |client| Ok(client.nodes().await?))
            .await?;
        let people =
            |page: &crate::admin::wire::NodePage, paper: &Paper| nodes_table(&page.nodes, paper);
        console.list(&page, page.nodes.is_empty(), None, people)
    }
}
