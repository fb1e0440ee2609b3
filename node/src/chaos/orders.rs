//! What a warden is told: its node's part of a run, and all that it needs to know of the node.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rules::chaos::Plan;
use rules::id::NodeId;
use runtime::ledger::Ledger;
use serde::{Deserialize, Serialize};
use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long the name of another node may take to be looked up.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(2);

/// A node's part of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// The run, by the entry that began it.
    pub run: u64,
    /// The node, by its number.
    pub node: u64,
    /// All of the plan: which steps are this node's part shows only when they begin.
    pub plan: Plan,
    /// Where its daemon answers.
    pub socket: PathBuf,
    /// Its data folder.
    pub data: PathBuf,
    /// Where its engine listens; none where it has no process of its own.
    pub engine: Option<PathBuf>,
    /// The port on which other nodes reach it; none where there are no others.
    pub port: Option<u16>,
    /// Where the other nodes are.
    pub peers: Vec<SocketAddr>,
    /// How its daemon is started again; none where a service manager does that.
    pub again: Option<Again>,
}

/// How a daemon was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where it was started.
    pub folder: PathBuf,
}

impl Orders {
    /// Finds out where the other nodes are now.
    pub async fn find_peers(&mut self, ledger: &Ledger) {
        let homes = ledger.read(|state| {
            let others = state.nodes.iter();
            let others = others.filter(|(id, _)| **id != NodeId(self.node));
            let homes = others.filter_map(|(_, node)| node.facts.address.clone());
            homes.collect::<Vec<String>>()
        });
        self.peers.clear();
        for home in homes {
            if let Ok(Ok(found)) = timeout(LOOK_UP_LIMIT, lookup_host(&home)).await {
                self.peers.extend(found);
            } else {
                tracing::warn!(home, "a node's address is not known now");
            }
        }
    }
}
