//! `domo node demote`: has a node not vote.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::{NodeRole, SetRole};

/// Have a node not vote in the ledger's quorum
///
/// It goes on to host teams and workers. --auto leaves it to the cluster again.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo node demote delta
  domo node demote delta --auto")]
pub(crate) struct NodeDemote {
    /// The node's name or number
    node: String,
    /// Leaves it to the cluster whether it votes
    #[arg(long)]
    auto: bool,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for NodeDemote {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let node = &self.node;
        let how = SetRole {
            role: if self.auto {
                NodeRole::Auto
            } else {
                NodeRole::Learner
            },
        };
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.set_role(node, &how, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(
            &done,
            &format!("node {node} does not vote unless the cluster needs it"),
        )
    }
}
