//! Some nodes of one cluster, all on this machine, and what they have spent.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use runtime::links::JoinToken;

use crate::admin::client::Client;
use crate::admin::wire::{MintToken, NodeLine, Status};
use crate::bench::case::Spans;
use crate::bench::load::{Outcome, Wishes};
use crate::bench::own_node::{Agents, Ground, OwnNode, Seat};
use crate::bench::{BenchError, crowd};
use crate::daemon::Site;

/// Nodes of a usual cluster.
pub(super) const NODES: u8 = 3;
/// Teams among which the cases are spread.
pub(super) const TEAMS: usize = 8;
/// How long the join token is good.
const TOKEN_MS: u64 = 10 * 60_000;
/// Nodes find each other within seconds, or something is wrong.
const FORM_LIMIT: Duration = Duration::from_mins(2);

/// The nodes, and the teams that take measured cases.
pub(super) struct Trio {
    pub(super) nodes: Vec<OwnNode>,
    pub(super) teams: Vec<String>,
}

/// Processor time of all processes in milliseconds, and fdatasyncs of all nodes.
pub(super) struct Costs {
    pub(super) cpu_ms: u64,
    pub(super) syncs: u64,
}

impl Trio {
    /// The usual cluster.
    pub(super) async fn start(ground: &Ground) -> Result<Self, BenchError> {
        Self::of(ground, NODES, TEAMS).await
    }

    /// So many nodes with so many teams; three of the nodes vote.
    pub(super) async fn of(ground: &Ground, nodes: u8, teams: usize) -> Result<Self, BenchError> {
        let first = OwnNode::start_as(ground, Agents::Stub, Seat::First(site(1)?)).await?;
        let token = minted(first.client()).await?;
        let mut all = vec![first];
        for number in 2..=nodes {
            let seat = Seat::Joining(token.clone(), site(number)?);
            all.push(OwnNode::start_as(ground, Agents::Stub, seat).await?);
        }
        let mut trio = Self {
            nodes: all,
            teams: Vec::new(),
        };
        trio.whole().await?;
        trio.teams = crowd::teams(&trio.nodes[0], teams).await?;
        Ok(trio)
    }

    /// Waits until all nodes see all nodes well, enough of them vote, and one leads.
    pub(super) async fn whole(&self) -> Result<Status, BenchError> {
        let count = self.nodes.len();
        let mut last = None;
        for node in &self.nodes {
            let is_whole = |status: &Status| is_whole(status, count);
            let status = node
                .wait_until("the nodes are not one cluster", FORM_LIMIT, is_whole)
                .await?;
            last = Some(status);
        }
        last.ok_or_else(|| BenchError::Ended("there are no nodes".to_owned()))
    }

    /// Which of the nodes leads, once all are well.
    pub(super) async fn leader(&self) -> Result<usize, BenchError> {
        let leader = self.whole().await?.cluster.leader.unwrap_or_default();
        let found = (0..self.nodes.len()).find(|at| id_of(*at) == leader);
        found.ok_or_else(|| BenchError::Ended(format!("{leader} leads, who is none of ours")))
    }

    /// A client of the node after that one.
    pub(super) fn beside(&self, at: usize) -> Client {
        self.nodes[(at + 1) % self.nodes.len()].client().clone()
    }

    /// Cases that are handed in at that client.
    pub(super) async fn wishes(&self, client: &Client) -> Result<Wishes, BenchError> {
        Wishes::new(client, self.teams.clone()).await
    }

    /// A closed loop, and what it cost.
    pub(super) async fn closed(
        &self,
        wishes: &Wishes,
        clients: usize,
        spans: Spans,
    ) -> Result<(Outcome, Costs), BenchError> {
        wishes.closed(clients, spans.warm).await?;
        let before = self.spent().await?;
        let outcome = wishes.closed(clients, spans.measured).await?;
        let after = self.spent().await?;
        let costs = Costs {
            cpu_ms: after.cpu_ms.saturating_sub(before.cpu_ms),
            syncs: after.syncs.saturating_sub(before.syncs),
        };
        Ok((outcome, costs))
    }

    async fn spent(&self) -> Result<Costs, BenchError> {
        let (mut cpu_ms, mut syncs) = (0, 0);
        for (at, node) in self.nodes.iter().enumerate() {
            let [daemon, stub, own] = node.cpu_ms()?;
            // This process is counted once.
            cpu_ms += daemon + stub + if at == 0 { own } else { 0 };
            syncs += node.client().status().await?.ledger.syncs;
        }
        Ok(Costs { cpu_ms, syncs })
    }
}

/// What a node is called in the ledger: they join one after the other.
pub(super) fn id_of(at: usize) -> String {
    rules::id::NodeId(at as u64 + 1).to_string()
}

fn is_whole(status: &Status, count: usize) -> bool {
    let nodes = &status.cluster.nodes;
    let is_well = |node: &&NodeLine| node.cpu_milli > 0 && node.health == "up";
    let voters = nodes.iter().filter(|node| node.is_voter).count();
    nodes.iter().filter(is_well).count() == count
        && voters >= usize::from(NODES).min(count)
        && status.cluster.leader.is_some()
}

async fn minted(client: &Client) -> Result<JoinToken, BenchError> {
    let wish = MintToken { valid_ms: TOKEN_MS };
    let minted = client
        .mint_token(&wish, &client.request_id().await?)
        .await?;
    let token = JoinToken::parse(&minted.token);
    token.map_err(|error| BenchError::Ended(error.to_string()))
}

/// Where a node is found: an address of the loopback of its own, and a free port there.
fn site(number: u8) -> Result<Site, BenchError> {
    let ip = IpAddr::V4(Ipv4Addr::new(127, 0, 0, number));
    let free = TcpListener::bind((ip, 0)).and_then(|listener| listener.local_addr());
    let listen: SocketAddr = free.map_err(BenchError::io(ip))?;
    Ok(Site {
        name: format!("bench-{number}"),
        listen,
        advertise: None,
    })
}
