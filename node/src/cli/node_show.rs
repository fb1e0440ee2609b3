//! `domo node show`: everything about a node.

use clap::Args;

use super::console::Console;
use super::print::{self, Paper};
use super::status::nodes_table;
use super::stop::Stop;
use super::team_show::pairs;
use super::verb::Verb;
use crate::admin::wire::NodeDetails;

/// Show a node: its health, what is on it, where others reach it
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo node show alpha
  domo node show 2 --output json")]
pub(crate) struct NodeShow {
    /// The node's name or number
    node: String,
}

impl Verb for NodeShow {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let node = console
            .ask(async |client| Ok(client.node(&self.node).await?))
            .await?;
        console.printer.show(&node, view)?;
        Ok(())
    }
}

fn view(node: &NodeDetails, paper: &Paper) -> String {
    let address = node.line.address.clone();
    let about = print::pairs([
        (
            "health",
            format!("{}: {}", node.line.health, node.health_because),
        ),
        (
            "address",
            address.unwrap_or_else(|| "none: a cluster of one".to_owned()),
        ),
        ("engine", node.engine.clone()),
        ("rules", format!("knows version {}", node.line.rules_known)),
        ("start", node.incarnation.to_string()),
        ("labels", pairs(&node.labels)),
        ("secrets", secrets(node)),
        ("butlers of", node.teams.join(", ")),
        ("workers", node.workers_there.join(", ")),
    ]);
    format!(
        "{}\n{about}",
        nodes_table(std::slice::from_ref(&node.line), paper)
    )
}

/// For which targets it has secrets, as it told the cluster.
fn secrets(node: &NodeDetails) -> String {
    let told = match &node.secrets {
        None => return "not told yet".to_owned(),
        Some(names) if names.is_empty() => "none".to_owned(),
        Some(names) => format!("of {}", names.join(", ")),
    };
    if node.is_confined == Some(false) {
        return format!(
            "{told}; its agents run unconfined: none that have targets are placed here"
        );
    }
    told
}
