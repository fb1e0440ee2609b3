//! What a worker costs that has nothing to do: memory of the node for ten and a hundred thousand.

use super::case::mib;
use super::own_node::{Agents, Ground, OwnNode};
use super::sheet::{Figure, Limit, Sheet};
use super::statistics::{as_f64, per};
use super::{BenchError, crowd};

/// Measures a fresh node for each count.
pub async fn run(ground: &Ground, counts: &[usize]) -> Result<Sheet, BenchError> {
    let mut sheet = Sheet::new("workers");
    sheet.under("workers with a SOUL and a skill, in teams of a hundred, none ever at work");
    for &count in counts {
        let node = OwnNode::start(ground, Agents::Stub).await?;
        let before = node.resident_bytes()?;
        crowd::idlers(&node, count).await?;
        let after = node.resident_bytes()?;
        let each = per(as_f64(after.saturating_sub(before)), as_f64(count as u64)) / 1024.0;
        let figure = Figure::new(format!("memory a worker, {count} idle"), each, "KiB");
        sheet.add(figure.gate(Limit::AtMost(32.0)).aim(Limit::AtMost(8.0)));
        sheet.add(Figure::new(
            format!("memory of the node, {count} idle"),
            mib(after),
            "MiB",
        ));
    }
    Ok(sheet)
}
