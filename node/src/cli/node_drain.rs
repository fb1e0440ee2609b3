//! `domo node drain`: has a node left by all that is on it.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::DrainNode;

/// Have a node left by all that is on it
///
/// Its butlers move at once, its workers once what they run has ended; nothing new is placed there.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo node drain beta
  domo node drain beta --reason \"new kernel\"")]
pub(crate) struct NodeDrain {
    /// The node's name or number
    node: String,
    /// Why
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for NodeDrain {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let node = &self.node;
        let how = DrainNode {
            is_drained: true,
            reason: self.reason,
        };
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.drain_node(node, &how, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(
            &done,
            &format!("node {node} is being left; `domo node show {node}` says what is still there"),
        )
    }
}
