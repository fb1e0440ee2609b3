//! How long a node with a long past takes until it serves again.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::case::{MANY, mib};
use super::load::Wishes;
use super::own_node::{Agents, Ground, OwnNode};
use super::sheet::{Figure, Limit, Sheet};
use super::statistics::as_f64;
use super::{BenchError, crowd};

/// Teams among which the cases are spread.
const TEAMS: usize = 8;
/// Clients that make the past: more than for measuring, so that it is soon made.
const CLIENTS: usize = MANY * 4;
/// How long cases are handed in between two looks at how many entries there are.
const ROUND: Duration = Duration::from_secs(2);

/// Lets a node live through so many entries of cases, then ends and starts it.
pub async fn run(ground: &Ground, entries: u64) -> Result<Sheet, BenchError> {
    let mut node = OwnNode::start(ground, Agents::Stub).await?;
    let wishes = Wishes::new(node.client(), crowd::teams(&node, TEAMS).await?).await?;
    let made = loop {
        wishes.closed(CLIENTS, ROUND).await?;
        let status = node.client().status().await?;
        if status.ledger.applied_index >= entries {
            break status;
        }
    };
    let mut sheet = Sheet::new("restart");
    let (index, closed) = (made.ledger.applied_index, made.cases.closed);
    sheet.under(format!(
        "a ledger of {index} entries, {closed} closed cases, a snapshot when one is due"
    ));
    for (name, signal) in [
        ("polite end", Signal::SIGTERM),
        ("kill -9", Signal::SIGKILL),
    ] {
        let took = node.restart(signal).await?;
        let figure = Figure::new(format!("start after a {name}"), took.as_secs_f64(), "s");
        sheet.add(figure.gate(Limit::AtMost(10.0)).aim(Limit::AtMost(3.0)));
        let again = node.client().status().await?;
        if again.ledger.applied_index < index || again.cases.closed < closed {
            let (now, cases) = (again.ledger.applied_index, again.cases.closed);
            return Err(BenchError::Ended(format!(
                "after a {name} the node has {now} entries and {cases} closed cases"
            )));
        }
    }
    sheet.add(Figure::new("entries", as_f64(index), ""));
    sheet.add(Figure::new(
        "memory of the node afterwards",
        mib(node.resident_bytes()?),
        "MiB",
    ));
    Ok(sheet)
}
