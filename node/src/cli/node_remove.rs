//! `domo node remove`: takes a node out of the cluster for ever.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::RemoveNode;

/// Take a node out of the cluster for ever
///
/// Its number is never used again, and its daemon is refused. Drain it first; --force gives up what
/// still runs on it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo node remove beta
  domo node remove 3 --force")]
pub(crate) struct NodeRemove {
    /// The node's name or number
    node: String,
    /// Also while it is up and not drained: what runs on it is given up
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for NodeRemove {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let node = &self.node;
        let how = RemoveNode {
            is_forced: self.force,
        };
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.remove_node(node, &how, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(
            &done,
            &format!("node {node} is no node of the cluster any more"),
        )
    }
}
