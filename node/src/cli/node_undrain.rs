//! `domo node undrain`: lets a node be used again.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::DrainNode;

/// Let a drained node be used again
///
/// Nothing moves back by itself; what needs a place may get it there.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo node undrain beta")]
pub(crate) struct NodeUndrain {
    /// The node's name or number
    node: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for NodeUndrain {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let node = &self.node;
        let how = DrainNode {
            is_drained: false,
            reason: String::new(),
        };
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.drain_node(node, &how, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("node {node} may be used again"))
    }
}
