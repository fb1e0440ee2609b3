//! Reads: how soon a status comes, how many a second, and a case that is surely up to date.

use std::path::PathBuf;
use std::time::Duration;

use runtime::clock;
use tokio::task::JoinSet;

use super::load::Wishes;
use super::own_node::{Agents, Ground, OwnNode};
use super::raw::Asker;
use super::sheet::{Figure, Limit, Sheet};
use super::statistics::{Samples, as_f64, per};
use super::{BenchError, crowd};

/// Reads that are timed one after the other: the p99 rests on a hundred of them.
const READS: usize = 10_000;
/// Connections that read at once.
const CONNECTIONS: usize = 64;
/// Teams and their cases that the node has: a status counts them.
const TEAMS: usize = 8;
/// The cases are over by then, so that nothing but reads is measured.
const SETTLED_LIMIT: Duration = Duration::from_mins(1);

/// Measures reads of a node that has a hundred closed cases and nothing else to do.
pub async fn run(ground: &Ground, span: Duration) -> Result<Sheet, BenchError> {
    let node = OwnNode::start(ground, Agents::Stub).await?;
    let wishes = Wishes::new(node.client(), crowd::teams(&node, TEAMS).await?).await?;
    let mut case = String::new();
    for number in 0..100 {
        case = wishes.submit(number).await?;
    }
    node.wait_until("the cases are not over", SETTLED_LIMIT, |status| {
        status.cases.not_closed() == 0
    })
    .await?;
    let socket = node.client().socket().to_owned();
    let mut sheet = Sheet::new("reads");
    sheet.under("one node without other work; bytes are read and counted, not parsed");
    let status = alone(&socket, "/v1/status").await?;
    let p99 = Figure::new("status, 1 client, p99", status.p99_ms(), "ms");
    sheet.add(Figure::new("status, 1 client, p50", status.p50_ms(), "ms"));
    sheet.add(p99.gate(Limit::AtMost(2.0)).aim(Limit::AtMost(0.5)));
    let path = format!("/v1/cases/{case}");
    let linear = alone(&socket, &path).await?;
    let p99 = Figure::new("case, linearizable, 1 client, p99", linear.p99_ms(), "ms");
    sheet.add(Figure::new(
        "case, linearizable, 1 client, p50",
        linear.p50_ms(),
        "ms",
    ));
    sheet.add(p99.gate(Limit::AtMost(5.0)).aim(Limit::AtMost(1.0)));
    let (gate, aim) = (Limit::AtLeast(20_000.0), Limit::AtLeast(60_000.0));
    let rate = many(&socket, "/v1/status", span).await?;
    let name = format!("status, {CONNECTIONS} connections");
    sheet.add(Figure::new(name, rate, "/s").gate(gate).aim(aim));
    let rate = many(&socket, &format!("{path}?consistency=local"), span).await?;
    sheet.add(Figure::new(
        format!("case, local, {CONNECTIONS} connections"),
        rate,
        "/s",
    ));
    let rate = many(&socket, &path, span).await?;
    sheet.add(Figure::new(
        format!("case, linearizable, {CONNECTIONS} connections"),
        rate,
        "/s",
    ));
    Ok(sheet)
}

async fn alone(socket: &std::path::Path, path: &str) -> Result<Samples, BenchError> {
    let failed = || BenchError::io(path);
    let mut asker = Asker::connect(socket, path).await.map_err(failed())?;
    let mut measured = Vec::with_capacity(READS);
    for _ in 0..READS {
        let began = clock::boot_us();
        asker.ask().await.map_err(failed())?;
        measured.push(clock::boot_us() - began);
    }
    Ok(Samples::new(measured))
}

/// Answers a second over all connections.
async fn many(socket: &std::path::Path, path: &str, span: Duration) -> Result<f64, BenchError> {
    let began = clock::boot_us();
    let until = began + u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    let mut askers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (socket, path): (PathBuf, String) = (socket.to_owned(), path.to_owned());
        askers.spawn(async move {
            let mut asker = Asker::connect(&socket, &path).await?;
            let mut answers: u64 = 0;
            while clock::boot_us() < until {
                asker.ask().await?;
                answers += 1;
            }
            Ok::<u64, std::io::Error>(answers)
        });
    }
    let mut answers = 0;
    while let Some(ended) = askers.join_next().await {
        let asked = ended.map_err(|error| BenchError::task(&error))?;
        answers += asked.map_err(BenchError::io(path))?;
    }
    Ok(per(as_f64(answers), as_f64(clock::boot_us() - began) / 1e6))
}
