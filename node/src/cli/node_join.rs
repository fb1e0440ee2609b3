//! `domo node join`: makes a data folder the one of a new node of a cluster.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use runtime::links::JoinToken;
use serde::Serialize;

use super::console::Console;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use crate::daemon::{self, EnrollError, Enrolled, Site};

/// Where a node listens unless it is said.
pub(crate) const LISTEN: &str = "0.0.0.0:7400";

/// Join a cluster: this host becomes a node of it
///
/// Asks the cluster that the token is of, and keeps the node's number, certificate and keys in its
/// data folder; `domo node run --data DIR` then runs it. Make the token with `domo cluster token`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo node join TOKEN --data /var/lib/domo
  domo node join TOKEN --data ~/beta --name beta --listen 127.0.0.2:7400")]
pub(crate) struct NodeJoin {
    /// The join token
    token: String,
    #[command(flatten)]
    home: HomeOf,
}

/// Where a new node shall be.
#[derive(Args, Clone, Debug)]
pub(crate) struct HomeOf {
    /// Its data folder, which must be new
    #[arg(long, value_name = "DIR", default_value = "/var/lib/domo")]
    pub(crate) data: PathBuf,
    /// What it is called; by default as its host
    #[arg(long)]
    name: Option<String>,
    /// Where it listens for other nodes
    #[arg(long, value_name = "IP:PORT", default_value = LISTEN)]
    listen: SocketAddr,
    /// Where other nodes reach it, if that is elsewhere
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
}

/// What the folder has become, for programs.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    cluster: &'a str,
    node: u64,
    address: &'a str,
}

impl HomeOf {
    /// Where the node shall be found.
    pub(crate) fn site(&self) -> Site {
        let host = || daemon::host_name().unwrap_or_else(|| "node".to_owned());
        Site {
            name: self.name.clone().unwrap_or_else(host),
            listen: self.listen,
            advertise: self.advertise.clone(),
        }
    }

    /// Says what the folder has become.
    pub(crate) fn tell(&self, console: &Console, enrolled: &Enrolled) -> Result<(), Stop> {
        let Enrolled {
            cluster,
            node,
            advertise,
        } = enrolled;
        if console.printer.is_json() {
            console.printer.json(&Answer {
                cluster,
                node: *node,
                address: advertise,
            })?;
        }
        let data = self.data.display();
        print::note(&format!(
            "{data} is the folder of node {node} of cluster {cluster}, reached at {advertise}; \
             run it with `domo node run --data {data}`"
        ));
        Ok(())
    }
}

impl Verb for NodeJoin {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let token = parse(&self.token)?;
        let enrolled = daemon::join(&self.home.data, &token, self.home.site()).await;
        self.home
            .tell(console, &enrolled.map_err(|error| stop(&error))?)
    }
}

/// Reads a token.
pub(crate) fn parse(text: &str) -> Result<JoinToken, Stop> {
    JoinToken::parse(text).map_err(|error| {
        Stop::rephrase(
            error.to_string(),
            "`domo cluster token` on any node makes a new one",
        )
    })
}

/// A refusal with its causes.
pub(crate) fn stop(error: &EnrollError) -> Stop {
    let mut what = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        what = format!("{what}: {cause}");
        source = cause.source();
    }
    Stop::mend(what, "")
}
