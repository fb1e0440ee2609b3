//! `domo cluster init`: begins a cluster with its first node.

use clap::Args;

use super::console::Console;
use super::node_join::{HomeOf, stop};
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use crate::daemon;

/// Begin a cluster: this host becomes its first node
///
/// Makes the cluster's authority, which signs the certificates of all its nodes, and the first node's
/// data folder; `domo node run --data DIR` then runs it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo cluster init --data /var/lib/domo
  domo cluster init --data ~/alpha --name alpha --listen 127.0.0.1:7400")]
pub(crate) struct ClusterInit {
    #[command(flatten)]
    home: HomeOf,
}

impl Verb for ClusterInit {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let founded = daemon::found(&self.home.data, self.home.site());
        self.home
            .tell(console, &founded.map_err(|error| stop(&error))?)?;
        print::note("then let others join: `domo cluster token`, and there `domo node join TOKEN`");
        Ok(())
    }
}
