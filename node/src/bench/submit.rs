//! A durable submit against what this disk takes for one fdatasync, in the same run.

use std::time::Duration;

use super::bound::Bound;
use super::load::Wishes;
use super::own_node::{Agents, Ground, OwnNode};
use super::sheet::{Figure, Limit, Sheet};
use super::statistics::per;
use super::{BenchError, crowd};

/// Before what is measured.
const WARM: Duration = Duration::from_secs(1);
/// Teams among which the cases are spread.
const TEAMS: usize = 8;

/// Measures the submits of one client that hands a case in when the one before is over: what is
/// timed is a question, one commit and its answer.
pub async fn run(ground: &Ground, span: Duration) -> Result<Sheet, BenchError> {
    let node = OwnNode::start(ground, Agents::Stub).await?;
    let wishes = Wishes::new(node.client(), crowd::teams(&node, TEAMS).await?).await?;
    wishes.closed(1, WARM).await?;
    let bound = Bound::measured_in(&ground.folder).await?;
    let submits = wishes.closed(1, span).await?.submits;
    let mut sheet = Sheet::new("submit");
    sheet.under(format!(
        "{} submits to one node in {}",
        submits.count(),
        ground.folder.display()
    ));
    sheet.under("each is handed in when the case before is over");
    bound.tell(&mut sheet);
    let (preallocated, growing) = (&bound.preallocated, &bound.growing);
    sheet.add(Figure::new("submit, p50", submits.p50_ms(), "ms").bound(preallocated.p50_ms()));
    sheet.add(Figure::new("submit, p99", submits.p99_ms(), "ms").bound(preallocated.p99_ms()));
    let times = |bound: f64| per(submits.p50_ms(), bound);
    let name = "submit, p50, in fdatasyncs of a growing file";
    sheet.add(Figure::new(name, times(growing.p50_ms()), "×"));
    let name = "submit, p50, in fdatasyncs of a preallocated file";
    let times = Figure::new(name, times(preallocated.p50_ms()), "×");
    sheet.add(times.gate(Limit::AtMost(2.0)));
    Ok(sheet)
}
