//! P10: what three nodes cost that have workers and no work.

use std::time::Duration;

use super::trio::{NODES, Trio};
use crate::bench::case::mib;
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Limit, Sheet};
use crate::bench::statistics::{as_f64, per};
use crate::bench::{BenchError, crowd};

/// Workers of the cluster.
const WORKERS: usize = 1_000;
/// Between the last change and the measurement: what was still to be done is done.
const SETTLE: Duration = Duration::from_secs(5);

/// Measures the node that costs the most for so long.
pub(super) async fn measure(
    ground: &Ground,
    sheet: &mut Sheet,
    span: Duration,
) -> Result<(), BenchError> {
    let trio = Trio::of(ground, NODES, 1).await?;
    crowd::idlers(&trio.nodes[0], WORKERS).await?;
    tokio::time::sleep(SETTLE).await;
    let mut before = Vec::new();
    for node in &trio.nodes {
        let [daemon, ..] = node.cpu_ms()?;
        before.push(daemon);
    }
    tokio::time::sleep(span).await;
    let (mut cpu_ms, mut memory) = (0, 0);
    for (node, before) in trio.nodes.iter().zip(before) {
        let [daemon, ..] = node.cpu_ms()?;
        cpu_ms = cpu_ms.max(daemon.saturating_sub(before));
        memory = memory.max(node.resident_bytes()?);
    }
    let name = format!("P10 idle, {NODES} nodes, {WORKERS} workers, the dearest node");
    let percent = per(as_f64(cpu_ms) / 10.0, span.as_secs_f64());
    let percent = Figure::new(format!("{name}: of one core"), percent, "%");
    sheet.add(percent.gate(Limit::AtMost(3.0)).aim(Limit::AtMost(1.0)));
    let memory = Figure::new(format!("{name}: memory"), mib(memory), "MiB");
    sheet.add(memory.gate(Limit::AtMost(95.3)).aim(Limit::AtMost(38.1)));
    Ok(())
}
