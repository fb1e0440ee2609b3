//! P9: four times as much as goes through: what still does, what memory it takes, how soon the rest
//! is told no.

use std::sync::Arc;
use std::time::Duration;

use runtime::clock;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::trio::Trio;
use crate::admin::client::ClientError;
use crate::bench::BenchError;
use crate::bench::case::{Spans, mib};
use crate::bench::load::{Wishes, due_times};
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Limit, Sheet};
use crate::bench::statistics::{Samples, Schedule, as_f64, per};

/// How much more than the peak is asked for.
const TIMES: f64 = 4.0;
/// Questions that are open at once: more than the nodes' doors let in.
const MOST_OPEN: usize = 6_000;

/// What became of the questions.
#[derive(Default)]
struct Told {
    accepted: u64,
    refused_us: Vec<u64>,
    /// Neither yes nor no.
    unknown: u64,
}

/// Measures the peak, then asks for four times as much for `span`.
pub(super) async fn measure(
    ground: &Ground,
    sheet: &mut Sheet,
    clients: usize,
    spans: Spans,
    span: Duration,
) -> Result<(), BenchError> {
    let trio = Trio::start(ground).await?;
    let mut wishes = Vec::new();
    for node in &trio.nodes {
        wishes.push(trio.wishes(node.client()).await?);
    }
    let (peak, _) = trio.closed(&wishes[0], clients, spans).await?;
    let before = memory(&trio)?;
    let closed = trio.nodes[0].client().status().await?.cases.closed;
    let began = clock::boot_us();
    let asking = tokio::spawn(ask(wishes, peak.per_s() * TIMES, span));
    let mut most = before;
    while !asking.is_finished() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        most = most.max(memory(&trio)?);
    }
    let told = asking.await.map_err(|error| BenchError::task(&error))??;
    let took_s = as_f64(clock::boot_us() - began) / 1e6;
    let through = trio.nodes[0].client().status().await?.cases.closed - closed;
    let name = format!("P9 {TIMES:.0} × overload, {} s", span.as_secs());
    let share = per(per(as_f64(through), took_s) * 100.0, peak.per_s());
    let share = Figure::new(format!("{name}: goes through, of the peak"), share, "%");
    sheet.add(share.gate(Limit::AtLeast(80.0)).aim(Limit::AtLeast(95.0)));
    let grown = Figure::new(
        format!("{name}: memory of a node, more"),
        mib(most.saturating_sub(before)),
        "MiB",
    );
    sheet.add(grown.gate(Limit::AtMost(256.0)).aim(Limit::AtMost(64.0)));
    let refused = Samples::new(told.refused_us);
    let count = as_f64(refused.count() as u64);
    if refused.count() > 0 {
        let p99 = Figure::new(
            format!("{name}: refused within, p99"),
            refused.p99_ms(),
            "ms",
        );
        sheet.add(p99.gate(Limit::AtMost(100.0)));
    }
    for (what, count) in [
        ("accepted", as_f64(told.accepted)),
        ("refused", count),
        ("of unknown outcome", as_f64(told.unknown)),
    ] {
        sheet.add(Figure::new(format!("{name}: {what}"), count, "cases"));
    }
    Ok(())
}

/// The memory of the node that has the most.
fn memory(trio: &Trio) -> Result<u64, BenchError> {
    let mut most = 0;
    for node in &trio.nodes {
        most = most.max(node.resident_bytes()?);
    }
    Ok(most)
}

/// Asks at a steady rate, at all nodes in turn, whatever becomes of the questions before.
async fn ask(wishes: Vec<Wishes>, rate_per_s: f64, span: Duration) -> Result<Told, BenchError> {
    let room = Arc::new(Semaphore::new(MOST_OPEN));
    let mut due = due_times(Schedule::new(rate_per_s, span), clock::boot_us());
    let mut asked = JoinSet::new();
    let (mut told, mut number) = (Told::default(), 0);
    while due.recv().await.is_some() {
        let place = Arc::clone(&room).acquire_owned().await;
        let place = place.map_err(|closed| BenchError::Ended(closed.to_string()))?;
        let wishes = wishes[number % wishes.len()].clone();
        asked.spawn(async move {
            let _place = place;
            let began = clock::boot_us();
            let answer = wishes.submit(number).await;
            (answer.map(drop), clock::boot_us() - began)
        });
        number += 1;
        while let Some(ended) = asked.try_join_next() {
            told.count(ended.map_err(|error| BenchError::task(&error))?);
        }
    }
    while let Some(ended) = asked.join_next().await {
        told.count(ended.map_err(|error| BenchError::task(&error))?);
    }
    Ok(told)
}

impl Told {
    fn count(&mut self, (answer, took_us): (Result<(), ClientError>, u64)) {
        match answer {
            Ok(()) => self.accepted += 1,
            Err(ClientError::Refused { .. }) => self.refused_us.push(took_us),
            Err(_) => self.unknown += 1,
        }
    }
}
