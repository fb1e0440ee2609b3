//! P5 and P5b: how soon a lost node's butlers act, and its workers' stages run, on another.

use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::signal::Signal;
use runtime::clock::{self, Deadline};
use tokio::task::JoinSet;

use super::trio::{Trio, id_of};
use crate::admin::client::Client;
use crate::admin::wire::{TeamQuery, WatchEvent, WorkerQuery};
use crate::bench::BenchError;
use crate::bench::load::Wishes;
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Limit, Sheet};
use crate::bench::statistics::Samples;

/// A lost node is made up for within this, or something is wrong.
const LIMIT: Duration = Duration::from_mins(2);
/// Wait between two tries of a client whose cluster takes nothing.
const TRY_AGAIN: Duration = Duration::from_millis(10);
/// The most that a page holds.
const PAGE: u32 = 1000;

/// How a node is lost, and within which seconds it is to be made up for.
struct Loss {
    name: &'static str,
    signal: Signal,
    butlers_ms: (f64, f64),
    workers_ms: (f64, f64),
}

/// Loses a node in both ways, so many times each.
pub(super) async fn measure(
    ground: &Ground,
    sheet: &mut Sheet,
    rounds: usize,
) -> Result<(), BenchError> {
    let ways = [
        Loss {
            name: "killed",
            signal: Signal::SIGKILL,
            butlers_ms: (5e3, 2e3),
            workers_ms: (10e3, 7e3),
        },
        Loss {
            name: "frozen",
            signal: Signal::SIGSTOP,
            butlers_ms: (10e3, 4e3),
            workers_ms: (20e3, 9e3),
        },
    ];
    for way in ways {
        let (mut butlers, mut workers) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            // A new one each time: what has left a lost node does not hurry back to it.
            let trio = Trio::start(ground).await?;
            lose(&trio, way.signal, &mut butlers, &mut workers).await?;
        }
        let name = format!("node {}, {rounds} times", way.name);
        let what = format!("P5 {name}: its butlers plan elsewhere");
        tell(sheet, &what, butlers, way.butlers_ms)?;
        let what = format!("P5b {name}: its workers' cases end elsewhere");
        tell(sheet, &what, workers, way.workers_ms)?;
    }
    Ok(())
}

fn tell(
    sheet: &mut Sheet,
    name: &str,
    took: Vec<u64>,
    (gate, aim): (f64, f64),
) -> Result<(), BenchError> {
    let took = Samples::new(took);
    if took.count() == 0 {
        let what = format!("{name}: nobody was on the lost nodes");
        return Err(BenchError::Ended(what));
    }
    sheet.add(Figure::new(format!("{name}, p50"), took.p50_ms(), "ms"));
    let slowest = Figure::new(format!("{name}, slowest"), took.max_ms(), "ms");
    sheet.add(slowest.gate(Limit::AtMost(gate)).aim(Limit::AtMost(aim)));
    Ok(())
}

/// Loses a node that does not lead while all its teams get a case.
async fn lose(
    trio: &Trio,
    signal: Signal,
    butlers: &mut Vec<u64>,
    workers: &mut Vec<u64>,
) -> Result<(), BenchError> {
    let leader = trio.leader().await?;
    let lost = (leader + 1) % trio.nodes.len();
    let client = trio.nodes[leader].client().clone();
    let (led, worked) = there(&client, &id_of(lost)).await?;
    let lost_us = clock::boot_us();
    trio.nodes[lost].signal(signal)?;
    let mut cases = JoinSet::new();
    for team in led.union(&worked).cloned() {
        let client = client.clone();
        cases.spawn(async move {
            let took = tokio::time::timeout(LIMIT, followed(&client, &team, lost_us)).await;
            (team, took)
        });
    }
    while let Some(ended) = cases.join_next().await {
        let (team, took) = ended.map_err(|error| BenchError::task(&error))?;
        let took = took.map_err(|_| BenchError::Late {
            what: "a case of a lost node is not over",
            limit_s: LIMIT.as_secs(),
            seen: team.clone(),
        })??;
        if led.contains(&team) {
            butlers.push(took.planned_us);
        }
        if worked.contains(&team) {
            workers.push(took.closed_us);
        }
    }
    Ok(())
}

/// The teams whose butlers are on a node, and those of whose workers one is there.
async fn there(
    client: &Client,
    node: &str,
) -> Result<(BTreeSet<String>, BTreeSet<String>), BenchError> {
    let limit = Some(PAGE);
    let teams = client.teams(&TeamQuery { limit, after: None }).await?.teams;
    let is_there = |placed: &Option<String>| placed.as_deref() == Some(node);
    let led = teams.into_iter().filter(|team| is_there(&team.node));
    let query = WorkerQuery {
        limit,
        ..WorkerQuery::default()
    };
    let workers = client.workers(&query).await?.workers;
    let worked = workers
        .into_iter()
        .filter(|worker| !worker.is_butler && is_there(&worker.node))
        .filter_map(|worker| worker.id.split_once('/').map(|(team, _)| team.to_owned()));
    Ok((led.map(|team| team.name).collect(), worked.collect()))
}

/// How long after the loss a case was planned and closed.
struct Took {
    planned_us: u64,
    closed_us: u64,
}

async fn followed(client: &Client, team: &str, lost_us: u64) -> Result<Took, BenchError> {
    let wishes = Wishes::new(client, vec![team.to_owned()]).await?;
    let deadline = Deadline::after(LIMIT);
    let case = loop {
        match wishes.submit(0).await {
            Ok(case) => break case,
            Err(error) if deadline.is_over() => return Err(error.into()),
            Err(_) => tokio::time::sleep(TRY_AGAIN).await,
        }
    };
    let mut events = client.watch(&case, 0).await?;
    let mut planned_us = 0;
    while let Some(event) = events.next().await? {
        let passed_us = clock::boot_us() - lost_us;
        match event {
            WatchEvent::History(line) if line.kind == "planned" => planned_us = passed_us,
            WatchEvent::Closed { .. } => {
                let closed_us = passed_us;
                return Ok(Took {
                    planned_us,
                    closed_us,
                });
            }
            WatchEvent::History(_)
            | WatchEvent::Status { .. }
            | WatchEvent::Progress { .. }
            | WatchEvent::Ended { .. }
            | WatchEvent::Quiet
            | WatchEvent::Unnamed => {}
        }
    }
    Err(BenchError::Ended(format!(
        "the stream of case {case} ended before it"
    )))
}
