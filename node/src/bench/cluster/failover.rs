//! P3: how long no case is taken after the Manager's node was killed.

use std::time::Duration;

use nix::sys::signal::Signal;
use runtime::clock::{self, Deadline};

use super::trio::Trio;
use crate::bench::BenchError;
use crate::bench::load::Wishes;
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Limit, Sheet};
use crate::bench::statistics::Samples;

/// A failover is over within this, or something is wrong.
const FAILOVER_LIMIT: Duration = Duration::from_mins(1);
/// Wait between two tries of a client whose cluster has no leader.
const TRY_AGAIN: Duration = Duration::from_millis(5);

/// Kills the leader's node so many times.
pub(super) async fn measure(
    ground: &Ground,
    sheet: &mut Sheet,
    kills: usize,
) -> Result<(), BenchError> {
    let mut trio = Trio::start(ground).await?;
    let took = again_and_again(&mut trio, kills).await?;
    let name = format!("P3 failover, {kills} kills: SIGKILL to the first case taken");
    let p50 = Figure::new(format!("{name}, p50"), took.p50_ms(), "ms");
    sheet.add(p50.aim(Limit::AtMost(800.0)));
    let p99 = Figure::new(format!("{name}, p99"), took.p99_ms(), "ms");
    sheet.add(p99.gate(Limit::AtMost(2500.0)).aim(Limit::AtMost(1500.0)));
    sheet.add(Figure::new(format!("{name}, slowest"), took.max_ms(), "ms"));
    Ok(())
}

/// The same for whoever compares them.
pub(super) async fn again_and_again(trio: &mut Trio, kills: usize) -> Result<Samples, BenchError> {
    let mut took = Vec::new();
    for _ in 0..kills {
        took.push(kill_the_leader(trio).await?);
    }
    Ok(Samples::new(took))
}

/// Kills the leader's node and answers how long no other took a case, in microseconds; then has it
/// back.
async fn kill_the_leader(trio: &mut Trio) -> Result<u64, BenchError> {
    let leader = trio.leader().await?;
    let wishes = trio.wishes(&trio.beside(leader)).await?;
    trio.nodes[leader].end(Signal::SIGKILL).await?;
    let killed_us = clock::boot_us();
    taken(&wishes).await?;
    let took_us = clock::boot_us() - killed_us;
    trio.nodes[leader].start_again().await?;
    Ok(took_us)
}

/// Hands a case in until it is taken.
async fn taken(wishes: &Wishes) -> Result<String, BenchError> {
    let deadline = Deadline::after(FAILOVER_LIMIT);
    loop {
        match wishes.submit(0).await {
            Ok(case) => return Ok(case),
            Err(error) if deadline.is_over() => return Err(error.into()),
            Err(_) => tokio::time::sleep(TRY_AGAIN).await,
        }
    }
}
