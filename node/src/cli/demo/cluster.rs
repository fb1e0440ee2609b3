//! The demo's cluster: some nodes on this host, each with its own folder and loopback address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use rules::id::NodeId;
use runtime::clock::Deadline;
use runtime::links::JoinToken;
use tempfile::TempDir;

use super::node::DemoNode;
use crate::admin::client::Client;
use crate::admin::wire::{MintToken, NodeLine, Status};
use crate::cli::node_join::{parse, stop};
use crate::cli::print;
use crate::cli::stop::Stop;
use crate::daemon::{self, Site};

/// How long the demo's join token is good: far longer than two joins take.
const TOKEN_MS: u64 = 10 * 60_000;
/// Nodes find each other within a second; on a machine that is busy with other things, within many.
const FORM_LIMIT: Duration = Duration::from_mins(1);
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The nodes, and the folder that holds theirs.
pub(super) struct DemoCluster {
    nodes: Vec<DemoNode>,
    place: TempDir,
    count: u8,
}

impl DemoCluster {
    /// A cluster that is to have so many nodes; none of them runs yet.
    pub(super) fn new(place: TempDir, count: u8) -> Self {
        Self {
            nodes: Vec::new(),
            place,
            count,
        }
    }

    /// Starts all nodes, and waits until they are one cluster.
    pub(super) async fn start(&mut self) -> Result<(), Stop> {
        if self.count == 1 {
            return self.run(1).await;
        }
        daemon::found(&self.data(1), site(1)?).map_err(|error| stop(&error))?;
        self.run(1).await?;
        let token = self.token().await?;
        for number in 2..=self.count {
            let joined = daemon::join(&self.data(number), &token, site(number)?).await;
            joined.map_err(|error| stop(&error))?;
            self.run(number).await?;
        }
        self.whole().await
    }

    /// Starts those again that were killed, and waits until all are one cluster again.
    pub(super) async fn start_again(&mut self) -> Result<(), Stop> {
        for node in &mut self.nodes {
            node.start_again().await?;
        }
        if self.count == 1 {
            return Ok(());
        }
        self.whole().await
    }

    /// Waits until every node sees all of them vote, and up.
    async fn whole(&self) -> Result<(), Stop> {
        let voters = usize::from(self.count);
        for node in &self.nodes {
            let is_whole = |status: &Status| {
                let nodes = &status.cluster.nodes;
                let is_in =
                    |node: &NodeLine| node.is_voter && node.cpu_milli > 0 && node.health == "up";
                nodes.iter().filter(|node| is_in(node)).count() == voters
                    && status.cluster.leader.is_some()
            };
            wait_for(&node.client(), "the nodes are not one cluster", is_whole).await?;
        }
        Ok(())
    }

    async fn run(&mut self, number: u8) -> Result<(), Stop> {
        self.nodes.push(DemoNode::start(self.data(number))?);
        match self.nodes.last_mut() {
            Some(node) => node.ready().await,
            None => Ok(()),
        }
    }

    async fn token(&self) -> Result<JoinToken, Stop> {
        let client = self.client(0);
        let how = MintToken { valid_ms: TOKEN_MS };
        let request = client.request_id().await?;
        parse(&client.mint_token(&how, &request).await?.token)
    }

    /// A client of the node at that place.
    pub(super) fn client(&self, at: usize) -> Client {
        self.nodes[at].client()
    }

    /// The place of the node that leads, where the Manager is.
    pub(super) async fn leading(&self, client: &Client) -> Result<usize, Stop> {
        let leads = |status: &Status| status.cluster.leader.is_some();
        let status = wait_for(client, "no node leads", leads).await?;
        let leader = status.cluster.leader.unwrap_or_default();
        let is_it = |number: &usize| NodeId(*number as u64 + 1).to_string() == leader;
        let at = (0..self.nodes.len()).find(is_it).unwrap_or_default();
        Ok(at)
    }

    /// Kills the daemon of a node (SIGKILL).
    pub(super) async fn kill(&mut self, at: usize) {
        self.nodes[at].kill().await;
    }

    /// How to reach it while it runs.
    pub(super) fn way_in(&self) -> String {
        let ways = self.nodes.iter().map(|node| {
            let socket = node.socket();
            format!("`domo --socket {} status`\n", socket.display())
        });
        let ways: String = ways.collect();
        let mut sockets = self.nodes.iter().map(DemoNode::socket);
        let first = sockets.next().unwrap_or_default();
        let also = sockets.map(|socket| format!(" --also {}", socket.display()));
        let also: String = also.collect();
        format!(
            "the demo goes on:\n{ways}`domo --socket {} chaos run manager-failover{also}`\n\
             Ctrl-C here ends it and takes everything away",
            first.display()
        )
    }

    /// Where it is.
    pub(super) fn place(&self) -> std::path::Display<'_> {
        self.place.path().display()
    }

    /// Ends the daemons, then their agents, then removes the folder.
    pub(super) async fn clear(mut self) -> Result<(), Stop> {
        for node in &mut self.nodes {
            node.end().await;
        }
        let path = self.place.path().to_owned();
        let kept = |what: String| {
            let hint = format!("look into {} and remove it", path.display());
            Stop::mend(what, hint)
        };
        for node in &self.nodes {
            if let Err(why) = node.sweep().await {
                self.place.disable_cleanup(true);
                return Err(kept(format!("the demo's agents are not ended: {why}")));
            }
        }
        let closed = self.place.close();
        closed.map_err(|error| kept(format!("the demo's folder stays: {error}")))
    }

    fn data(&self, number: u8) -> PathBuf {
        self.place.path().join(format!("node-{number}"))
    }
}

/// Waits until a node's status is as it should be.
async fn wait_for(
    client: &Client,
    otherwise: &str,
    is_so: impl Fn(&Status) -> bool,
) -> Result<Status, Stop> {
    let deadline = Deadline::after(FORM_LIMIT);
    loop {
        let status = client.status().await?;
        if is_so(&status) {
            return Ok(status);
        }
        if deadline.is_over() {
            print::note(&format!("{:?}", status.cluster));
            let limit_s = FORM_LIMIT.as_secs();
            return Err(Stop::mend(format!("{otherwise} after {limit_s} s"), ""));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Where a node of the demo is found: an address of the loopback of its own, and a free port there.
fn site(number: u8) -> Result<Site, Stop> {
    let ip = IpAddr::V4(Ipv4Addr::new(127, 0, 0, number));
    let free = TcpListener::bind((ip, 0)).and_then(|listener| listener.local_addr());
    let listen: SocketAddr =
        free.map_err(|error| Stop::mend(format!("no port of {ip} can be used: {error}"), ""))?;
    Ok(Site {
        name: format!("demo-{number}"),
        listen,
        advertise: None,
    })
}
