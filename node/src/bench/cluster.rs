//! A cluster of three nodes: what a case takes when a quorum has each step on disk, and what the loss
//! of the Manager, of a node, or of both costs.
//!
//! # Why
//! All nodes share this machine's cores and its disk, so that what is measured is an upper bound
//! for three hosts, their network apart. Each part has a cluster of its own, so that none bears
//! what another did.

mod crash;
mod crowded;
mod encryption;
mod failover;
mod growth;
mod hand_over;
mod held;
mod loss;
mod overload;
mod placing;
mod quiet;
mod trio;
mod whole;

use std::time::Duration;

use super::BenchError;
use super::case::Spans;
use super::own_node::Ground;
use super::sheet::Sheet;

pub use crowded::Crowd;
pub use growth::Steps;

/// A part of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// P1, P2: whole cases, alone and many at once.
    Case,
    /// P3: the leader's node is killed.
    Failover,
    /// P3b: the Manager panics.
    Crash,
    /// P3c: the leader's node ends in order.
    HandOver,
    /// P4: the Manager is held dead.
    Held,
    /// P5, P5b: a node is killed, and one is frozen.
    Loss,
    /// P7c: workers get their nodes, among fifty.
    Placing,
    /// P9: four times as much as goes through.
    Overload,
    /// P10: workers and no work.
    Idle,
    /// P7b: very many workers and open cases.
    Crowded,
    /// Ever more teams, nodes and closed cases.
    Growth,
    /// P12: what the encryption between nodes takes.
    Encryption,
}

impl Part {
    /// All parts by their names, in the order in which they are measured.
    pub const ALL: [(&str, Self); 12] = [
        ("case", Self::Case),
        ("failover", Self::Failover),
        ("crash", Self::Crash),
        ("hand-over", Self::HandOver),
        ("held", Self::Held),
        ("loss", Self::Loss),
        ("placing", Self::Placing),
        ("overload", Self::Overload),
        ("idle", Self::Idle),
        ("crowded", Self::Crowded),
        ("growth", Self::Growth),
        ("encryption", Self::Encryption),
    ];

    /// The part of that name.
    pub fn of(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(word, _)| *word == name);
        found.map(|(_, part)| *part)
    }
}

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which parts.
    pub parts: Vec<Part>,
    /// Clients of the closed loop that asks for the most.
    pub clients: usize,
    /// How long is measured.
    pub spans: Spans,
    /// How often something is broken.
    pub times: usize,
    /// How long it is overloaded, and idle.
    pub long: Duration,
    /// What stands beside.
    pub crowd: Crowd,
    /// What grows.
    pub steps: Steps,
}

/// Measures the parts, one after the other.
pub async fn run(ground: &Ground, plan: &Plan) -> Result<Sheet, BenchError> {
    let mut sheet = Sheet::new("cluster");
    sheet.under(format!(
        "nodes that vote and their clients, all on this machine, in {}; a case: submit, 3 stages in \
         a row, report",
        ground.folder.display()
    ));
    for part in &plan.parts {
        measure(ground, plan, *part, &mut sheet).await?;
    }
    Ok(sheet)
}

async fn measure(
    ground: &Ground,
    plan: &Plan,
    part: Part,
    sheet: &mut Sheet,
) -> Result<(), BenchError> {
    let (spans, times) = (plan.spans, plan.times);
    match part {
        Part::Case => whole::measure(ground, sheet, plan.clients, spans).await,
        Part::Failover => failover::measure(ground, sheet, times).await,
        Part::Crash => crash::measure(ground, sheet, times).await,
        Part::HandOver => hand_over::measure(ground, sheet, times).await,
        Part::Held => held::measure(ground, sheet, spans).await,
        Part::Loss => loss::measure(ground, sheet, times.div_ceil(4)).await,
        Part::Placing => placing::measure(ground, sheet).await,
        Part::Overload => overload::measure(ground, sheet, plan.clients, spans, plan.long).await,
        Part::Idle => quiet::measure(ground, sheet, plan.long).await,
        Part::Crowded => crowded::measure(ground, sheet, spans, times, plan.crowd).await,
        Part::Growth => growth::measure(ground, sheet, spans, &plan.steps).await,
        Part::Encryption => encryption::measure(ground, sheet).await,
    }
}
