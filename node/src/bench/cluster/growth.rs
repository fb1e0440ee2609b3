//! Growth: what a case takes with ever more teams, nodes and closed cases.

use std::time::Duration;

use super::trio::{NODES, TEAMS, Trio};
use crate::bench::BenchError;
use crate::bench::case::{MANY, Spans};
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Sheet};

/// Clients that make a past: more than for measuring, so that it is soon made.
const CLIENTS: usize = MANY * 4;
/// How long cases are handed in between two looks at how many are closed.
const ROUND: Duration = Duration::from_secs(2);

/// What grows, and to how many each.
#[derive(Clone, Debug)]
pub struct Steps {
    /// Teams, on three nodes.
    pub teams: Vec<usize>,
    /// Nodes, each a process.
    pub nodes: Vec<u8>,
    /// Closed cases, on three nodes.
    pub closed: Vec<u64>,
}

/// Measures each step on a new cluster; closed cases grow on one.
pub(super) async fn measure(
    ground: &Ground,
    sheet: &mut Sheet,
    spans: Spans,
    steps: &Steps,
) -> Result<(), BenchError> {
    for &teams in &steps.teams {
        let trio = Trio::of(ground, NODES, teams).await?;
        tell(&trio, sheet, spans, &format!("{teams} teams")).await?;
    }
    for &nodes in &steps.nodes {
        let trio = Trio::of(ground, nodes, TEAMS).await?;
        tell(&trio, sheet, spans, &format!("{nodes} nodes")).await?;
    }
    if steps.closed.is_empty() {
        return Ok(());
    }
    let trio = Trio::start(ground).await?;
    let wishes = trio.wishes(trio.nodes[0].client()).await?;
    for &closed in &steps.closed {
        while trio.nodes[0].client().status().await?.cases.closed < closed {
            wishes.closed(CLIENTS, ROUND).await?;
        }
        tell(&trio, sheet, spans, &format!("{closed} closed cases")).await?;
    }
    Ok(())
}

async fn tell(trio: &Trio, sheet: &mut Sheet, spans: Spans, name: &str) -> Result<(), BenchError> {
    let wishes = trio.wishes(trio.nodes[0].client()).await?;
    let (alone, _) = trio.closed(&wishes, 1, spans).await?;
    let took = &alone.cases;
    for (percent, value) in [("p50", took.p50_ms()), ("p99", took.p99_ms())] {
        let figure = Figure::new(
            format!("growth, {name}: case, 1 client, {percent}"),
            value,
            "ms",
        );
        sheet.add(figure);
    }
    Ok(())
}
