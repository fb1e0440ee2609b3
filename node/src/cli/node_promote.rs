//! `domo node promote`: has a node vote.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::{NodeRole, SetRole};

/// Have a node vote in the ledger's quorum
///
/// The cluster chooses its voters itself, up to three; this pins one more, up to seven in all.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo node promote delta")]
pub(crate) struct NodePromote {
    /// The node's name or number
    node: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for NodePromote {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let node = &self.node;
        let how = SetRole {
            role: NodeRole::Voter,
        };
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.set_role(node, &how, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("node {node} shall vote"))
    }
}
