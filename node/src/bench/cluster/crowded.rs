//! P7b: the same case and the same failover beside very many workers and open cases.

use super::failover::again_and_again;
use super::trio::Trio;
use crate::bench::case::Spans;
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Limit, Sheet};
use crate::bench::statistics::{Samples, per};
use crate::bench::{BenchError, crowd};

/// How many there are beside what is measured.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Idle workers.
    pub workers: usize,
    /// Cases that wait for an approval.
    pub cases: usize,
}

/// Measures an empty cluster, and one with a crowd.
pub(super) async fn measure(
    ground: &Ground,
    sheet: &mut Sheet,
    spans: Spans,
    kills: usize,
    crowd: Crowd,
) -> Result<(), BenchError> {
    let mut trio = Trio::start(ground).await?;
    let empty = both(&mut trio, spans, kills).await?;
    crowd::idlers(&trio.nodes[0], crowd.workers).await?;
    crowd::waiting_cases(&trio.nodes[0], crowd.cases).await?;
    let full = both(&mut trio, spans, kills).await?;
    let name = format!(
        "P7b {} workers and {} open cases",
        crowd.workers, crowd.cases
    );
    for (what, before, after) in [
        ("case, 1 client, p50", &empty.0, &full.0),
        ("failover, p50", &empty.1, &full.1),
    ] {
        sheet.add(Figure::new(
            format!("P7b empty: {what}"),
            before.p50_ms(),
            "ms",
        ));
        sheet.add(Figure::new(format!("{name}: {what}"), after.p50_ms(), "ms"));
        let times = per(after.p50_ms(), before.p50_ms());
        let times = Figure::new(format!("{name}: {what}"), times, "× empty");
        sheet.add(times.gate(Limit::AtMost(2.0)).aim(Limit::AtMost(1.3)));
    }
    Ok(())
}

async fn both(
    trio: &mut Trio,
    spans: Spans,
    kills: usize,
) -> Result<(Samples, Samples), BenchError> {
    let wishes = trio.wishes(trio.nodes[0].client()).await?;
    let (alone, _) = trio.closed(&wishes, 1, spans).await?;
    Ok((alone.cases, again_and_again(trio, kills).await?))
}
