//! P1 and P2: whole cases on three nodes, alone and many at once, and what each costs.

use super::trio::{Costs, NODES, Trio};
use crate::bench::BenchError;
use crate::bench::bound::Bound;
use crate::bench::case::{COMMITS_IN_A_ROW, Spans};
use crate::bench::load::Outcome;
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Limit, Sheet};
use crate::bench::statistics::{as_f64, per};

/// Measures both.
pub(super) async fn measure(
    ground: &Ground,
    sheet: &mut Sheet,
    clients: usize,
    spans: Spans,
) -> Result<(), BenchError> {
    let bound = Bound::measured_in(&ground.folder).await?;
    let trio = Trio::start(ground).await?;
    bound.tell(sheet);
    let wishes = trio.wishes(trio.nodes[0].client()).await?;
    let (alone, _) = trio.closed(&wishes, 1, spans).await?;
    tell_alone(
        sheet,
        &alone,
        bound.preallocated.p50_ms() * COMMITS_IN_A_ROW,
    );
    let (many, costs) = trio.closed(&wishes, clients, spans).await?;
    tell_many(sheet, &many, &costs, clients);
    Ok(())
}

fn tell_alone(sheet: &mut Sheet, alone: &Outcome, floor_ms: f64) {
    let p50 = Figure::new("P1 case, 1 client, p50", alone.cases.p50_ms(), "ms").bound(floor_ms);
    sheet.add(p50.gate(Limit::AtMost(6.0)).aim(Limit::AtMost(4.0)));
    let p99 = Figure::new("P1 case, 1 client, p99", alone.cases.p99_ms(), "ms");
    sheet.add(p99.gate(Limit::AtMost(15.0)).aim(Limit::AtMost(8.0)));
}

fn tell_many(sheet: &mut Sheet, many: &Outcome, costs: &Costs, clients: usize) {
    let cases = as_f64(many.cases.count() as u64);
    let rate = Figure::new(format!("P2 cases, {clients} clients"), many.per_s(), "/s");
    let rate = rate.gate(Limit::AtLeast(1200.0));
    sheet.add(rate.aim(Limit::AtLeast(4000.0)));
    let name = format!("P2 case, {clients} clients, p99");
    let p99 = Figure::new(name, many.cases.p99_ms(), "ms");
    sheet.add(p99.aim(Limit::AtMost(60.0)));
    let cpu = per(as_f64(costs.cpu_ms), cases);
    let cpu = Figure::new("P2b CPU a case, all processes", cpu, "ms");
    sheet.add(cpu.gate(Limit::AtMost(0.8)).aim(Limit::AtMost(0.3)));
    let syncs = per(as_f64(costs.syncs), cases * f64::from(NODES));
    let syncs = Figure::new("P2c fdatasyncs a case and node", syncs, "");
    sheet.add(syncs.gate(Limit::AtMost(0.5)).aim(Limit::AtMost(0.1)));
}
