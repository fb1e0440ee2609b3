//! What a node costs that has workers and no work.

use std::time::Duration;

use super::case::mib;
use super::own_node::{Agents, Ground, OwnNode};
use super::sheet::{Figure, Limit, Sheet};
use super::statistics::{as_f64, per};
use super::{BenchError, crowd};

/// Between the last change and the measurement: what was still to be done is done.
const SETTLE: Duration = Duration::from_secs(3);

/// Measures a node with so many idle workers for so long.
pub async fn run(ground: &Ground, workers: usize, span: Duration) -> Result<Sheet, BenchError> {
    let node = OwnNode::start(ground, Agents::Stub).await?;
    crowd::idlers(&node, workers).await?;
    tokio::time::sleep(SETTLE).await;
    let [before, ..] = node.cpu_ms()?;
    tokio::time::sleep(span).await;
    let [after, ..] = node.cpu_ms()?;
    let mut sheet = Sheet::new("idle");
    sheet.under(format!(
        "one node, {workers} idle workers, {} s",
        span.as_secs()
    ));
    let percent = per(
        as_f64(after.saturating_sub(before)) / 10.0,
        span.as_secs_f64(),
    );
    let cpu = Figure::new("processor, of one core", percent, "%");
    sheet.add(cpu.gate(Limit::AtMost(3.0)).aim(Limit::AtMost(1.0)));
    let memory = Figure::new("memory", mib(node.resident_bytes()?), "MiB");
    sheet.add(memory.gate(Limit::AtMost(95.3)).aim(Limit::AtMost(38.1)));
    Ok(sheet)
}
