//! One durable case: how long it takes alone, how many go through at once, and what each costs.

use std::time::Duration;

use super::bound::Bound;
use super::load::{Outcome, Wishes};
use super::own_node::{Agents, Ground, OwnNode};
use super::sheet::{Figure, Limit, Sheet};
use super::statistics::{as_f64, per};
use super::{BenchError, crowd};

/// Teams among which the cases are spread.
const TEAMS: usize = 8;
/// Clients of the closed loop that asks for the most.
pub const MANY: usize = 64;
/// Commits that a case waits for, one after the other: taken in and planned, three results, reported.
pub(super) const COMMITS_IN_A_ROW: f64 = 5.0;

/// How long is measured.
#[derive(Clone, Copy, Debug)]
pub struct Spans {
    /// Before each measurement, unmeasured.
    pub warm: Duration,
    /// Each measurement.
    pub measured: Duration,
}

/// What the processes and the ledger had done so far.
struct Counters {
    cpu_ms: [u64; 3],
    syncs: u64,
    entries: u64,
}

impl Counters {
    async fn read(node: &OwnNode) -> Result<Self, BenchError> {
        let ledger = node.client().status().await?.ledger;
        let (syncs, entries) = (ledger.syncs, ledger.applied_index);
        Ok(Self {
            cpu_ms: node.cpu_ms()?,
            syncs,
            entries,
        })
    }
}

/// Measures a case alone, under the most clients, and in an open loop at half of that rate.
pub async fn run(ground: &Ground, clients: usize, spans: Spans) -> Result<Sheet, BenchError> {
    let bound = Bound::measured_in(&ground.folder).await?;
    let node = OwnNode::start(ground, Agents::Stub).await?;
    let teams = crowd::teams(&node, TEAMS).await?;
    let wishes = Wishes::new(node.client(), teams).await?;
    let mut sheet = Sheet::new("case");
    sheet.under(format!(
        "one node in {}; a case: submit, {} stages in a row, report",
        ground.folder.display(),
        crowd::STAGES.len()
    ));
    sheet.under(format!(
        "each measured for {} s after {} s, agents are a stub in another process",
        spans.measured.as_secs(),
        spans.warm.as_secs()
    ));
    bound.tell(&mut sheet);
    wishes.closed(1, spans.warm).await?;
    let (alone, costs) = closed(&node, &wishes, 1, spans).await?;
    let floor = bound.preallocated.p50_ms() * COMMITS_IN_A_ROW;
    tell_alone(&mut sheet, &alone, floor);
    tell_costs(
        &mut sheet,
        &alone,
        &costs,
        "1 client",
        None,
        (Limit::AtMost(8.0), Limit::AtMost(5.0)),
    );
    wishes.closed(clients, spans.warm).await?;
    let (many, costs) = closed(&node, &wishes, clients, spans).await?;
    tell_many(&mut sheet, &many, clients);
    let name = format!("{clients} clients");
    let cpu = Some((Limit::AtMost(0.8), Limit::AtMost(0.3)));
    tell_costs(
        &mut sheet,
        &many,
        &costs,
        &name,
        cpu,
        (Limit::AtMost(0.5), Limit::AtMost(0.1)),
    );
    let half = wishes.open(many.per_s() / 2.0, spans.measured).await?;
    tell_open(&mut sheet, &half, many.per_s() / 2.0);
    sheet.add(Figure::new(
        "memory of the node afterwards",
        mib(node.resident_bytes()?),
        "MiB",
    ));
    Ok(sheet)
}

async fn closed(
    node: &OwnNode,
    wishes: &Wishes,
    clients: usize,
    spans: Spans,
) -> Result<(Outcome, Counters), BenchError> {
    let before = Counters::read(node).await?;
    let outcome = wishes.closed(clients, spans.measured).await?;
    let after = Counters::read(node).await?;
    let spent = |at: usize| after.cpu_ms[at].saturating_sub(before.cpu_ms[at]);
    let costs = Counters {
        cpu_ms: [spent(0), spent(1), spent(2)],
        syncs: after.syncs.saturating_sub(before.syncs),
        entries: after.entries.saturating_sub(before.entries),
    };
    Ok((outcome, costs))
}

fn tell_alone(sheet: &mut Sheet, alone: &Outcome, floor_ms: f64) {
    let p50 = Figure::new("case, 1 client, p50", alone.cases.p50_ms(), "ms").bound(floor_ms);
    sheet.add(p50.gate(Limit::AtMost(6.0)).aim(Limit::AtMost(4.0)));
    let p99 = Figure::new("case, 1 client, p99", alone.cases.p99_ms(), "ms");
    sheet.add(p99.gate(Limit::AtMost(15.0)).aim(Limit::AtMost(8.0)));
    sheet.add(Figure::new(
        "case, 1 client, slowest",
        alone.cases.max_ms(),
        "ms",
    ));
}

fn tell_many(sheet: &mut Sheet, many: &Outcome, clients: usize) {
    let rate = Figure::new(format!("cases, {clients} clients"), many.per_s(), "/s");
    sheet.add(
        rate.gate(Limit::AtLeast(1200.0))
            .aim(Limit::AtLeast(4000.0)),
    );
    sheet.add(Figure::new(
        format!("case, {clients} clients, p50"),
        many.cases.p50_ms(),
        "ms",
    ));
    let p99 = Figure::new(
        format!("case, {clients} clients, p99"),
        many.cases.p99_ms(),
        "ms",
    );
    sheet.add(p99.aim(Limit::AtMost(60.0)));
}

fn tell_open(sheet: &mut Sheet, half: &Outcome, rate_per_s: f64) {
    let name = format!("case, open loop at {rate_per_s:.0}/s");
    sheet.add(Figure::new(
        format!("{name}, p50"),
        half.cases.p50_ms(),
        "ms",
    ));
    sheet.add(Figure::new(
        format!("{name}, p99"),
        half.cases.p99_ms(),
        "ms",
    ));
    sheet.add(Figure::new(
        format!("{name}, refused"),
        as_f64(half.refused),
        "cases",
    ));
}

fn tell_costs(
    sheet: &mut Sheet,
    outcome: &Outcome,
    costs: &Counters,
    name: &str,
    cpu: Option<(Limit, Limit)>,
    syncs: (Limit, Limit),
) {
    let each = |what: u64| per(as_f64(what), as_f64(outcome.cases.count() as u64));
    let all: u64 = costs.cpu_ms.iter().sum();
    let whole = Figure::new(
        format!("CPU a case, {name}, all processes"),
        each(all),
        "ms",
    );
    sheet.add(match cpu {
        Some((gate, aim)) => whole.gate(gate).aim(aim),
        None => whole,
    });
    for (process, ms) in ["node", "stub agent", "clients"].iter().zip(costs.cpu_ms) {
        sheet.add(Figure::new(
            format!("CPU a case, {name}, {process}"),
            each(ms),
            "ms",
        ));
    }
    let synced = Figure::new(format!("fdatasyncs a case, {name}"), each(costs.syncs), "");
    sheet.add(synced.gate(syncs.0).aim(syncs.1));
    sheet.add(Figure::new(
        format!("entries a case, {name}"),
        each(costs.entries),
        "",
    ));
}

/// Bytes as MiB.
pub(super) fn mib(bytes: u64) -> f64 {
    as_f64(bytes) / f64::from(1 << 20)
}
