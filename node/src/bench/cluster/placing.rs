//! P7c: how many workers get a node each second, chosen among fifty and durable.
//!
//! # Why
//! Fifty daemons on two cores would measure themselves. Here the nodes are only known to the state:
//! the choice, the entry, its fdatasync and its application are the real ones, for one voter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rules::id::{HumanName, NodeId, WorkerId};
use rules::limits::MAX_PLACEMENTS;
use rules::node::NodeFacts;
use rules::place::{Chooser, Placed, Placement};
use rules::state::State;
use rules::team::{AgentLimits, AgentSpec, Document, TeamSpec, WorkerSpec};
use rules::{Command, Principal, Proposal, Who};
use runtime::clock;
use runtime::ledger::{Ledger, OpenOptions};
use runtime::policy::Policies;

use crate::bench::BenchError;
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Limit, Sheet};
use crate::bench::statistics::{as_f64, per};

/// Nodes among which is chosen.
const NODES: u64 = 50;
/// Teams, and workers of each.
const TEAMS: usize = 100;
const WORKERS: usize = 100;
/// How long the token is good with which the nodes join.
const TOKEN_MS: u64 = 10 * 60_000;
/// A voter alone leads within this.
const LEADER_LIMIT: Duration = Duration::from_secs(30);

/// Places all workers of a new cluster.
pub(super) async fn measure(ground: &Ground, sheet: &mut Sheet) -> Result<(), BenchError> {
    let folder = tempfile::Builder::new()
        .prefix("domo-bench-")
        .tempdir_in(&ground.folder);
    let folder = folder.map_err(BenchError::io(ground.folder.display()))?;
    let mut options = OpenOptions::new(folder.path().join("ledger"), NodeId(1));
    let judge = Policies::new(config::policy::SCHEMA, config::policy::MATRIX);
    options.judge = Arc::new(judge.map_err(ended)?);
    let (ledger, _changes) = Ledger::open(options).await.map_err(ended)?;
    ledger.init_single().await.map_err(ended)?;
    let mut status = ledger.watch_status();
    let leads = status.wait_for(|status| status.is_leader);
    let leads = tokio::time::timeout(LEADER_LIMIT, leads).await;
    leads.map_err(ended)?.map_err(ended)?;
    describe(&ledger).await?;
    let began = clock::boot_us();
    let (mut placed, mut entries) = (0, 0);
    loop {
        let placements = ledger.read(choose);
        if placements.is_empty() {
            break;
        }
        placed += placements.len() as u64;
        entries += 1;
        let term = ledger.status().term;
        say(
            &ledger,
            Who::Manager { term },
            Command::Place { placements },
        )
        .await?;
    }
    let took_s = as_f64(clock::boot_us() - began) / 1e6;
    ledger.close().await;
    let name = format!("P7c placements, {NODES} nodes, {entries} durable entries of one voter");
    let rate = Figure::new(name, per(as_f64(placed), took_s), "/s");
    sheet.add(
        rate.gate(Limit::AtLeast(3_000.0))
            .aim(Limit::AtLeast(10_000.0)),
    );
    Ok(())
}

/// The next placements, as the Manager chooses them: with each other in view.
fn choose(state: &State) -> Vec<Placement> {
    let teams = state.teams.iter();
    let teams = teams
        .filter(|(_, team)| team.placed.is_none())
        .map(|(name, team)| (Placed::Team(name.clone()), team.epoch));
    let workers = state.workers.iter();
    let workers = workers
        .filter(|(_, worker)| worker.placed.is_none())
        .map(|(id, worker)| (Placed::Worker(id.clone()), worker.epoch));
    let mut chooser = Chooser::new();
    teams
        .chain(workers)
        .take(MAX_PLACEMENTS)
        .filter_map(|(who, epoch)| chooser.choose(state, &who, epoch).ok())
        .collect()
}

async fn describe(ledger: &Ledger) -> Result<(), BenchError> {
    let mint = Command::MintToken {
        token: "bench".parse().map_err(ended)?,
        hash: [0; 32],
        valid_ms: TOKEN_MS,
    };
    human(ledger, mint).await?;
    let first = Who::Node(NodeId(1));
    for number in 1..=NODES {
        let node = NodeId(number);
        let facts = facts(node);
        if number > 1 {
            let (name, mut key) = (facts.name.clone(), [0; 32]);
            key[..8].copy_from_slice(&number.to_le_bytes());
            let hash = [0; 32];
            let admit = Command::AdmitNode { hash, name, key };
            say(ledger, first.clone(), admit).await?;
        }
        say(ledger, Who::Node(node), Command::JoinNode { facts }).await?;
    }
    for number in 0..TEAMS {
        let put = team(&format!("team-{number}"))?;
        let remove = Vec::new();
        human(ledger, Command::ApplyDocuments { put, remove }).await?;
    }
    Ok(())
}

async fn human(ledger: &Ledger, command: Command) -> Result<(), BenchError> {
    let name = HumanName::new("bench").map_err(ended)?;
    propose(ledger, Principal::human(name), command).await
}

async fn say(ledger: &Ledger, who: Who, command: Command) -> Result<(), BenchError> {
    propose(ledger, Principal::own(who), command).await
}

async fn propose(
    ledger: &Ledger,
    principal: Principal,
    command: Command,
) -> Result<(), BenchError> {
    let proposal = Proposal {
        request: None,
        principal,
        wall_ms: clock::wall().0,
        command,
        decision: None,
    };
    let verdict = ledger.propose(proposal).await.map_err(ended)?;
    verdict.map(drop).map_err(ended)
}

fn ended(why: impl std::fmt::Display) -> BenchError {
    BenchError::Ended(why.to_string())
}

fn facts(node: NodeId) -> NodeFacts {
    NodeFacts {
        node,
        name: format!("bench-{}", node.0),
        incarnation: 1,
        release: env!("CARGO_PKG_VERSION").to_owned(),
        knows: rules::version::NEWEST,
        engine: "stub".to_owned(),
        cpu_milli: 256_000,
        memory_bytes: 1 << 40,
        labels: BTreeMap::from([("zone".to_owned(), format!("z{}", node.0 % 3))]),
        address: None,
    }
}

fn team(name: &str) -> Result<Vec<Document>, BenchError> {
    let team = name.parse().map_err(ended)?;
    let mut documents = vec![Document::Team(TeamSpec {
        name: team,
        title: "a team that is measured".to_owned(),
        topics: Vec::new(),
        butler: "butler".parse().map_err(ended)?,
        agent: None,
        playbook: None,
        labels: BTreeMap::new(),
    })];
    for number in 0..WORKERS {
        documents.push(Document::Worker(worker(name, number)?));
    }
    Ok(documents)
}

fn worker(team: &str, number: usize) -> Result<WorkerSpec, BenchError> {
    Ok(WorkerSpec {
        id: WorkerId {
            team: team.parse().map_err(ended)?,
            name: format!("worker-{number}").parse().map_err(ended)?,
        },
        title: "a worker that is measured".to_owned(),
        agent: AgentSpec {
            kernel: "cli".to_owned(),
            command: vec!["/usr/bin/agent".to_owned()],
            image: "scratch".to_owned(),
            env: BTreeMap::new(),
            soul: None,
            skills: BTreeMap::new(),
            limits: AgentLimits {
                cpu_milli: 1_000,
                memory_bytes: 512 << 20,
                pids: 256,
                output_bytes: 64 << 20,
                wall_ms: 1_800_000,
            },
        },
        parallel: 1,
        idle_after_ms: 600_000,
        labels: BTreeMap::new(),
    })
}
