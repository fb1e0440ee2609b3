//! P3c: what clients notice when the Manager's node ends in order, as for an upgrade.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::Signal;
use runtime::clock;

use super::trio::Trio;
use crate::bench::BenchError;
use crate::bench::load::Wishes;
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Limit, Sheet};
use crate::bench::statistics::{Samples, as_f64};

/// Ends the leader's node politely so many times, while a client of another node hands cases in.
pub(super) async fn measure(
    ground: &Ground,
    sheet: &mut Sheet,
    rounds: usize,
) -> Result<(), BenchError> {
    let mut trio = Trio::start(ground).await?;
    let (mut slowest, mut errors) = (Vec::new(), 0);
    for _ in 0..rounds {
        let leader = trio.leader().await?;
        let wishes = trio.wishes(&trio.beside(leader)).await?;
        let is_over = Arc::new(AtomicBool::new(false));
        let client = tokio::spawn(hand_in(wishes, Arc::clone(&is_over)));
        trio.nodes[leader].end(Signal::SIGTERM).await?;
        is_over.store(true, Ordering::Relaxed);
        let seen = client.await.map_err(|error| BenchError::task(&error))?;
        slowest.push(seen.slowest_us);
        errors += seen.errors;
        trio.nodes[leader].start_again().await?;
    }
    let slowest = Samples::new(slowest);
    let name = format!("P3c hand-over, {rounds} times: slowest submit of each");
    sheet.add(Figure::new(format!("{name}, p50"), slowest.p50_ms(), "ms"));
    let p99 = Figure::new(format!("{name}, p99"), slowest.p99_ms(), "ms");
    sheet.add(p99.gate(Limit::AtMost(300.0)).aim(Limit::AtMost(100.0)));
    let errors = Figure::new("P3c errors at clients", as_f64(errors), "");
    sheet.add(errors.gate(Limit::AtMost(0.0)));
    Ok(())
}

#[derive(Default)]
struct Seen {
    slowest_us: u64,
    errors: u64,
}

/// Hands one case in after the other.
async fn hand_in(wishes: Wishes, is_over: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) {
        let began = clock::boot_us();
        if wishes.submit(number).await.is_err() {
            seen.errors += 1;
        }
        seen.slowest_us = seen.slowest_us.max(clock::boot_us() - began);
        number += 1;
    }
    seen
}
