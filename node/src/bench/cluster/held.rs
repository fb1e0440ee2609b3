//! P4: what teams notice while the Manager is held dead.

use super::trio::Trio;
use crate::bench::BenchError;
use crate::bench::case::Spans;
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Limit, Sheet};
use crate::bench::statistics::per;

/// Clients that hand cases in: enough to load the cluster, far from its peak.
const CLIENTS: usize = 8;

/// Measures cases of existing teams with and without him.
pub(super) async fn measure(
    ground: &Ground,
    sheet: &mut Sheet,
    spans: Spans,
) -> Result<(), BenchError> {
    let trio = Trio::start(ground).await?;
    let wishes = trio.wishes(trio.nodes[0].client()).await?;
    let (usual, _) = trio.closed(&wishes, CLIENTS, spans).await?;
    for node in &trio.nodes {
        node.client().hold_manager(true).await?;
    }
    // A case that fails ends the measurement with an error.
    let (held, _) = trio.closed(&wishes, CLIENTS, spans).await?;
    let name = format!("P4 case, {CLIENTS} clients");
    sheet.add(Figure::new(
        format!("{name}, usually, p99"),
        usual.cases.p99_ms(),
        "ms",
    ));
    sheet.add(Figure::new(
        format!("{name}, Manager held dead, p99"),
        held.cases.p99_ms(),
        "ms",
    ));
    let times = per(held.cases.p99_ms(), usual.cases.p99_ms());
    let times = Figure::new("P4 p99 with the Manager held dead", times, "× usual");
    sheet.add(times.gate(Limit::AtMost(2.0)).aim(Limit::AtMost(1.2)));
    let failed = Figure::new("P4 failed stages", 0.0, "");
    sheet.add(failed.gate(Limit::AtMost(0.0)));
    Ok(())
}
