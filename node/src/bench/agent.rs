//! What Majordomo adds to an engine's own time until an agent runs: on a new worker, on a warm one.
//!
//! ```text
//! stage assigned ─► container created, started ─► order ─► the agent's first line      new worker
//!                   create + start of a like one, by hand                              its bare part
//! stage assigned ─► order ─► the agent's first line                                    warm worker
//!                   exec of a program in the same container, by hand                   its bare part
//! ```
//!
//! # Why
//! Both ends are stamps of the same wall clock, in the entry that assigns and by the agent in its
//! container, to the millisecond: what a user would see, ledger and personas and all.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use rand::RngExt as _;
use runtime::clock;

use super::container_calls::ContainerCalls;
use super::load::follow;
use super::own_node::{Agents, Ground, OwnNode};
use super::sheet::{Figure, Limit, Sheet};
use super::statistics::{Samples, as_f64};
use super::{BenchError, crowd};
use crate::admin::wire::{
    ApplyQuery, CaseView, Consistency, Document, OpenCase, Prune, TeamDocument,
};

/// New workers that are timed, and containers that are made by hand beside them.
const WORKERS: usize = 20;
/// Attempts of each worker that are timed once it is warm.
const WARM_ROUNDS: usize = 5;
/// Boxes are gone within this when their team is removed, or something is wrong.
const GONE_LIMIT: Duration = Duration::from_mins(2);

/// Containers of a team that are gone when this is dropped, whatever came between.
struct Containers {
    calls: Option<ContainerCalls>,
    team: String,
}

impl Drop for Containers {
    fn drop(&mut self) {
        let Some(calls) = &self.calls else { return };
        for container in calls.of_team(&self.team).unwrap_or_default() {
            // What cannot be removed here is named after its team, for whoever looks.
            let _ = calls.remove(&container);
        }
    }
}

/// Is the agent: says when it began, and ends.
#[must_use]
pub fn first_line() -> String {
    format!("{}\n", clock::wall().0)
}

/// Measures on a node with a real engine; `docker_socket` is where a Docker engine listens.
pub async fn run(ground: &Ground, docker_socket: &Path) -> Result<Sheet, BenchError> {
    let socket = docker_socket.to_owned();
    let calls = blocking(move || Ok(ContainerCalls::at(socket))).await?;
    let mut team = String::from("bench-");
    team.extend(
        std::iter::repeat_with(|| char::from(rand::rng().random_range(b'a'..=b'z'))).take(10),
    );
    // Dropped last: the daemon makes no new ones then.
    let containers = Containers {
        calls: calls.clone(),
        team: team.clone(),
    };
    let mut ground = ground.clone();
    ground.settings = vec![format!("engine.docker_socket={}", docker_socket.display())];
    let mut node = OwnNode::start(&ground, Agents::Engine).await?;
    let measured = measure(&node, calls.as_ref(), &team).await;
    // In order where that is possible: the node itself removes what it made.
    let cleared = clear(&node, calls.as_ref(), &team).await;
    let engine = node.client().status().await?.node.engine;
    node.end(Signal::SIGTERM).await?;
    drop(containers);
    let measured = measured?;
    cleared?;
    Ok(measured.tell(&engine))
}

/// Everything in milliseconds.
struct Measured {
    new: Vec<u64>,
    bare_starts: Vec<u64>,
    warm: Vec<u64>,
    bare_execs: Vec<u64>,
}

async fn measure(
    node: &OwnNode,
    calls: Option<&ContainerCalls>,
    team: &str,
) -> Result<Measured, BenchError> {
    let workers: Vec<String> = (0..=WORKERS)
        .map(|number| format!("worker-{number}"))
        .collect();
    describe(node, team, &workers).await?;
    let mut measured = Measured {
        new: Vec::new(),
        bare_starts: Vec::new(),
        warm: Vec::new(),
        bare_execs: Vec::new(),
    };
    for (number, worker) in workers.iter().enumerate() {
        let took_us = case(node, team, worker).await?;
        let bare_us = bare_start(calls, team, number).await?;
        // The first one makes the image and warms the engine.
        if number > 0 {
            measured.new.push(took_us);
            measured.bare_starts.extend(bare_us);
        }
    }
    for _ in 0..WARM_ROUNDS {
        for worker in &workers[1..] {
            measured.warm.push(case(node, team, worker).await?);
            measured.bare_execs.extend(bare_exec(calls, team).await?);
        }
    }
    Ok(measured)
}

/// A team whose workers each have a playbook of one stage of their own.
async fn describe(node: &OwnNode, team: &str, workers: &[String]) -> Result<(), BenchError> {
    let mut documents = vec![Document::Team(TeamDocument {
        name: team.to_owned(),
        title: String::new(),
        topics: Vec::new(),
        butler: "butler".to_owned(),
        agent: None,
        playbook: None,
        labels: BTreeMap::new(),
    })];
    for name in workers {
        let mut worker = crowd::worker(team, name);
        worker.agent.command = ["domo", "bench", "first-line"].map(str::to_owned).to_vec();
        documents.push(Document::Worker(worker));
        documents.push(Document::Playbook(crowd::playbook(team, name, &[name])));
    }
    let client = node.client();
    let id = client.request_id().await?;
    client
        .apply(&documents, &ApplyQuery::default(), Some(&id))
        .await?;
    node.wait_until("not everybody was placed", GONE_LIMIT, |status| {
        status.workers.total > 0 && status.workers.homeless == 0
    })
    .await?;
    Ok(())
}

/// Runs a case on a worker; answers how long after the assignment its agent's first line came, in
/// microseconds.
async fn case(node: &OwnNode, team: &str, worker: &str) -> Result<u64, BenchError> {
    let client = node.client();
    let id = client.request_id().await?;
    let wish = OpenCase {
        team: Some(team.to_owned()),
        brief: "say when you began".to_owned(),
        playbook: Some(worker.to_owned()),
        ..OpenCase::default()
    };
    let case = client.open_case(&wish, &id).await?.case;
    follow(client, &case).await?;
    let seen = client.case(&case, Consistency::Local).await?;
    took_ms(&seen)
        .map(|ms| ms * 1000)
        .ok_or_else(|| BenchError::Ended(format!("the agent of {case} did not say when it began")))
}

fn took_ms(case: &CaseView) -> Option<u64> {
    let assigned = case.attempts.last()?.assigned.ms;
    let said = case
        .plan
        .last()?
        .result
        .as_ref()?
        .summary
        .trim()
        .parse::<u64>()
        .ok()?;
    Some(said.saturating_sub(assigned))
}

/// Creates and starts a container like the team's own, by hand.
async fn bare_start(
    calls: Option<&ContainerCalls>,
    team: &str,
    number: usize,
) -> Result<Option<u64>, BenchError> {
    let Some(calls) = calls.cloned() else {
        return Ok(None);
    };
    let (team, name) = (team.to_owned(), format!("{team}-bare-{number}"));
    blocking(move || {
        let models = calls.of_team(&team)?;
        let Some(model) = models.first() else {
            return Ok(None);
        };
        let body = calls.like(model)?;
        let began = clock::boot_us();
        let container = calls.create(&body, &name)?;
        let started = calls.start(&container);
        let took_us = clock::boot_us() - began;
        calls.remove(&container)?;
        started.map(|()| Some(took_us))
    })
    .await
}

async fn bare_exec(calls: Option<&ContainerCalls>, team: &str) -> Result<Option<u64>, BenchError> {
    let Some(calls) = calls.cloned() else {
        return Ok(None);
    };
    let team = team.to_owned();
    blocking(move || {
        let models = calls.of_team(&team)?;
        let Some(model) = models.first() else {
            return Ok(None);
        };
        let began = clock::boot_us();
        calls.exec(model)?;
        Ok(Some(clock::boot_us() - began))
    })
    .await
}

/// Removes the team and waits until its boxes are gone.
async fn clear(
    node: &OwnNode,
    calls: Option<&ContainerCalls>,
    team: &str,
) -> Result<(), BenchError> {
    let client = node.client();
    let id = client.request_id().await?;
    let how = ApplyQuery {
        prune: Prune::All,
        ..ApplyQuery::default()
    };
    client.apply(&[], &how, Some(&id)).await?;
    let Some(calls) = calls else { return Ok(()) };
    let deadline = clock::Deadline::after(GONE_LIMIT);
    loop {
        let (calls, team) = (calls.clone(), team.to_owned());
        let left = blocking(move || calls.of_team(&team)).await?.len();
        if left == 0 {
            return Ok(());
        }
        if deadline.is_over() {
            let (limit_s, seen) = (GONE_LIMIT.as_secs(), format!("{left} containers are left"));
            return Err(BenchError::Late {
                what: "boxes do not go",
                limit_s,
                seen,
            });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, BenchError> {
    let called = tokio::task::spawn_blocking(call).await;
    let called = called.map_err(|error| BenchError::task(&error))?;
    called.map_err(BenchError::io("the Docker engine"))
}

impl Measured {
    fn tell(self, engine: &str) -> Sheet {
        let mut sheet = Sheet::new("agent");
        sheet.under(format!("engine: {engine}"));
        sheet.under(format!(
            "{WORKERS} new workers, then {WARM_ROUNDS} attempts of each; the profile is the usual one"
        ));
        let has_bare = !self.bare_starts.is_empty() && !self.bare_execs.is_empty();
        let ms = |name: &str, value: f64| Figure::new(name, value, "ms");
        let [new, starts] = [self.new, self.bare_starts].map(Samples::new);
        let [warm, execs] = [self.warm, self.bare_execs].map(Samples::new);
        sheet.add(ms("new worker, assigned to first line, p50", new.p50_ms()));
        sheet.add(ms(
            "warm worker, assigned to first line, p99",
            warm.p99_ms(),
        ));
        if !has_bare {
            sheet.under("no Docker engine answers: what is bare cannot be taken off");
            return sheet;
        }
        sheet.add(ms("bare create and start, p50", starts.p50_ms()));
        let above = ms("new worker above bare, p50", new.p50_ms() - starts.p50_ms());
        sheet.add(above.gate(Limit::AtMost(25.0)).aim(Limit::AtMost(10.0)));
        sheet.add(ms("bare exec, p50", execs.p50_ms()));
        let above = ms(
            "warm worker above bare, p99",
            warm.p99_ms() - execs.p50_ms(),
        );
        sheet.add(above.gate(Limit::AtMost(50.0)).aim(Limit::AtMost(20.0)));
        sheet.add(Figure::new("workers", as_f64(new.count() as u64), ""));
        sheet
    }
}
