//! `domo cluster recover`: goes on with one node where a majority is gone for ever.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::config_check::Layers;
use super::console::Console;
use super::print;
use super::restore::{data, stop, who};
use super::stop::Stop;
use super::verb::Verb;
use crate::daemon::{self, Recovery};

/// Go on with this node alone, because a majority of the voters is gone for ever
///
/// Run it on the surviving voter whose `domo status` showed the highest applied entry, while its
/// daemon is stopped. Entries that only the gone nodes had are lost, answered or not. All other nodes
/// are taken out of the cluster: never start them again with their old folders; they join anew.
/// Attempts that ran are tried again, and cases whose agents can reach a target are held until a human
/// resumes them.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo cluster recover --data /var/lib/domo
  domo cluster recover --data /var/lib/domo --accept-loss")]
pub(crate) struct ClusterRecover {
    /// The data folder of the node that is left
    #[arg(long, value_name = "DIR", default_value = "/var/lib/domo")]
    data: PathBuf,
    /// Does it; without, it is only said what would be lost
    #[arg(long)]
    accept_loss: bool,
    #[command(flatten)]
    layers: Layers,
}

/// What was done, for programs.
#[derive(Debug, Serialize)]
struct Answer {
    cluster: String,
    node: String,
    gone: Vec<String>,
    last_index: u64,
    kept_uncommitted: u64,
}

impl Verb for ClusterRecover {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let settings = self.layers.load(&[data(&self.data)?])?;
        let found = daemon::recoverable(settings).await;
        let found = found.map_err(|error| stop(&error))?;
        if !self.accept_loss {
            return Err(Stop::mend(
                warning(&found.recovery),
                "if they are gone for ever, say --accept-loss; else start them: nothing is lost then",
            ));
        }
        let recovery = found.recover(who()).await;
        let recovery = recovery.map_err(|error| stop(&error))?;
        let told = Answer {
            cluster: recovery.cluster.clone(),
            node: recovery.node.to_string(),
            gone: names(&recovery),
            last_index: recovery.last,
            kept_uncommitted: recovery.uncommitted,
        };
        if console.printer.is_json() {
            console.printer.json(&told)?;
        }
        let data = self.data.display();
        print::note(&format!(
            "node {} is cluster {} alone, from entry {} on; run it with `domo node run --data {data}`, \
             then let fresh nodes join: `domo cluster token`",
            recovery.node, recovery.cluster, recovery.last
        ));
        Ok(())
    }
}

fn names(recovery: &Recovery) -> Vec<String> {
    recovery.others.iter().map(ToString::to_string).collect()
}

fn warning(recovery: &Recovery) -> String {
    if recovery.is_begun {
        return format!(
            "nothing was changed. That node {} goes on as cluster {} alone was begun and broke off: it \
             only has to be ended",
            recovery.node, recovery.cluster
        );
    }
    format!(
        "nothing was changed. Node {} of cluster {} would go on alone from entry {}, and the voters {} \
         would be out of the cluster for ever: whatever they answered after that entry is lost; {} \
         entries that are here and were perhaps never answered would count",
        recovery.node,
        recovery.cluster,
        recovery.last,
        names(recovery).join(", "),
        recovery.uncommitted
    )
}
