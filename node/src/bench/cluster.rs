//! Three nodes: what a case takes when a quorum has each step on disk, and how soon the death of the
//! Manager's node is over.
//!
//! # Why
//! All nodes share this machine's cores and its disk, so that what is measured is an upper bound
//! for three hosts, their network apart.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use nix::sys::signal::Signal;
use runtime::clock::{self, Deadline};
use runtime::links::JoinToken;

use super::bound::Bound;
use super::case::Spans;
use super::load::{Outcome, Wishes};
use super::own_node::{Agents, Ground, OwnNode, Seat};
use super::sheet::{Figure, Limit, Sheet};
use super::statistics::{Samples, as_f64, per};
use super::{BenchError, crowd};
use crate::admin::wire::{MintToken, Status};
use crate::daemon::Site;

/// Nodes that are measured.
const NODES: u8 = 3;
/// Teams among which the cases are spread.
const TEAMS: usize = 8;
/// How long the join token is good.
const TOKEN_MS: u64 = 10 * 60_000;
/// Nodes find each other within seconds, or something is wrong.
const FORM_LIMIT: Duration = Duration::from_mins(1);
/// A failover is over within this, or something is wrong.
const FAILOVER_LIMIT: Duration = Duration::from_mins(1);
/// Wait between two tries of a client whose cluster has no leader.
const TRY_AGAIN: Duration = Duration::from_millis(5);

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Clients of the closed loop that asks for the most.
    pub clients: usize,
    /// How long is measured.
    pub spans: Spans,
    /// How often the leader's node is killed.
    pub kills: usize,
}

/// Measures cases on three nodes, then kills the leader's node again and again.
pub async fn run(ground: &Ground, plan: Plan) -> Result<Sheet, BenchError> {
    let bound = Bound::measured_in(&ground.folder).await?;
    let mut nodes = start(ground).await?;
    let teams = crowd::teams(&nodes[0], TEAMS).await?;
    let mut sheet = Sheet::new("cluster");
    sheet.under(format!(
        "{NODES} nodes that vote, all on this machine, in {}; a case: submit, {} stages in a row, report",
        ground.folder.display(),
        crowd::STAGES.len()
    ));
    bound.tell(&mut sheet);
    let wishes = Wishes::new(nodes[0].client(), teams.clone()).await?;
    wishes.closed(1, plan.spans.warm).await?;
    let (alone, _) = closed(&nodes, &wishes, 1, plan.spans).await?;
    tell_alone(&mut sheet, &alone);
    wishes.closed(plan.clients, plan.spans.warm).await?;
    let (many, costs) = closed(&nodes, &wishes, plan.clients, plan.spans).await?;
    tell_many(&mut sheet, &many, &costs, plan.clients);
    if plan.kills > 0 {
        let mut took = Vec::new();
        for _ in 0..plan.kills {
            took.push(kill_the_leader(&mut nodes, &teams).await?);
        }
        tell_failover(&mut sheet, &Samples::new(took));
    }
    Ok(sheet)
}

async fn start(ground: &Ground) -> Result<Vec<OwnNode>, BenchError> {
    let first = OwnNode::start_as(ground, Agents::Stub, Seat::First(site(1)?)).await?;
    let client = first.client();
    let minted = client
        .mint_token(
            &MintToken { valid_ms: TOKEN_MS },
            &client.request_id().await?,
        )
        .await?;
    let token = JoinToken::parse(&minted.token);
    let token = token.map_err(|error| BenchError::Ended(error.to_string()))?;
    let mut nodes = vec![first];
    for number in 2..=NODES {
        let seat = Seat::Joining(token.clone(), site(number)?);
        nodes.push(OwnNode::start_as(ground, Agents::Stub, seat).await?);
    }
    for node in &nodes {
        node.wait_until("the nodes are not one cluster", FORM_LIMIT, is_whole)
            .await?;
    }
    Ok(nodes)
}

/// Whether all nodes vote, are up, and one leads.
fn is_whole(status: &Status) -> bool {
    let nodes = &status.cluster.nodes;
    let is_in = |node: &&crate::admin::wire::NodeLine| {
        node.is_voter && node.cpu_milli > 0 && node.health == "up"
    };
    nodes.iter().filter(is_in).count() == usize::from(NODES) && status.cluster.leader.is_some()
}

/// Processor time of all processes in milliseconds, and fdatasyncs of all nodes.
struct Costs {
    cpu_ms: u64,
    syncs: u64,
}

async fn spent(nodes: &[OwnNode]) -> Result<Costs, BenchError> {
    let mut all = Costs {
        cpu_ms: 0,
        syncs: 0,
    };
    for (at, node) in nodes.iter().enumerate() {
        let [daemon, stub, own] = node.cpu_ms()?;
        // This process is counted once.
        all.cpu_ms += daemon + stub + if at == 0 { own } else { 0 };
        all.syncs += node.client().status().await?.ledger.syncs;
    }
    Ok(all)
}

async fn closed(
    nodes: &[OwnNode],
    wishes: &Wishes,
    clients: usize,
    spans: Spans,
) -> Result<(Outcome, Costs), BenchError> {
    let before = spent(nodes).await?;
    let outcome = wishes.closed(clients, spans.measured).await?;
    let after = spent(nodes).await?;
    let costs = Costs {
        cpu_ms: after.cpu_ms.saturating_sub(before.cpu_ms),
        syncs: after.syncs.saturating_sub(before.syncs),
    };
    Ok((outcome, costs))
}

fn tell_alone(sheet: &mut Sheet, alone: &Outcome) {
    let p50 = Figure::new("case, 1 client, p50", alone.cases.p50_ms(), "ms");
    sheet.add(p50.gate(Limit::AtMost(6.0)).aim(Limit::AtMost(4.0)));
    let p99 = Figure::new("case, 1 client, p99", alone.cases.p99_ms(), "ms");
    sheet.add(p99.gate(Limit::AtMost(15.0)).aim(Limit::AtMost(8.0)));
}

fn tell_many(sheet: &mut Sheet, many: &Outcome, costs: &Costs, clients: usize) {
    let cases = as_f64(many.cases.count() as u64);
    let rate = Figure::new(format!("cases, {clients} clients"), many.per_s(), "/s");
    sheet.add(
        rate.gate(Limit::AtLeast(1200.0))
            .aim(Limit::AtLeast(4000.0)),
    );
    let p99 = Figure::new(
        format!("case, {clients} clients, p99"),
        many.cases.p99_ms(),
        "ms",
    );
    sheet.add(p99.aim(Limit::AtMost(60.0)));
    let cpu = Figure::new(
        "CPU a case, all processes",
        per(as_f64(costs.cpu_ms), cases),
        "ms",
    );
    sheet.add(cpu.gate(Limit::AtMost(0.8)).aim(Limit::AtMost(0.3)));
    let syncs = per(as_f64(costs.syncs), cases * f64::from(NODES));
    let syncs = Figure::new("fdatasyncs a case and node", syncs, "");
    sheet.add(syncs.gate(Limit::AtMost(0.5)).aim(Limit::AtMost(0.1)));
}

fn tell_failover(sheet: &mut Sheet, took: &Samples) {
    let kills = took.count();
    let name = format!("failover, {kills} kills: SIGKILL to the first case taken");
    let p50 = Figure::new(format!("{name}, p50"), took.p50_ms(), "ms");
    sheet.add(p50.aim(Limit::AtMost(800.0)));
    let p99 = Figure::new(format!("{name}, p99"), took.p99_ms(), "ms");
    sheet.add(p99.gate(Limit::AtMost(2500.0)).aim(Limit::AtMost(1500.0)));
    sheet.add(Figure::new(format!("{name}, slowest"), took.max_ms(), "ms"));
}

/// Kills the leader's node and answers how long no other took a case, in microseconds; then has it
/// back.
async fn kill_the_leader(nodes: &mut [OwnNode], teams: &[String]) -> Result<u64, BenchError> {
    let status = nodes[0]
        .wait_until("the cluster is not whole", FORM_LIMIT, is_whole)
        .await?;
    let leader = status.cluster.leader.unwrap_or_default();
    let is_leader = |at: &usize| rules::id::NodeId(*at as u64 + 1).to_string() == leader;
    let at = (0..nodes.len()).find(is_leader).unwrap_or_default();
    let survivor = nodes[(at + 1) % nodes.len()].client().clone();
    let wishes = Wishes::new(&survivor, teams.to_vec()).await?;
    nodes[at].end(Signal::SIGKILL).await?;
    let killed_us = clock::boot_us();
    let deadline = Deadline::after(FAILOVER_LIMIT);
    while let Err(error) = wishes.submit(0).await {
        if deadline.is_over() {
            return Err(error.into());
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
    let took_us = clock::boot_us() - killed_us;
    nodes[at].start_again().await?;
    Ok(took_us)
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
