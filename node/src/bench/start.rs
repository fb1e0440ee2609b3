//! How long a cold start takes until the node answers, and how large the program is.

use runtime::clock;

use super::BenchError;
use super::own_node::{Agents, Ground, OwnNode};
use super::sheet::{Figure, Limit, Sheet};
use super::statistics::{Samples, as_f64};

/// Starts that are timed, each on a folder that is not there yet.
const STARTS: usize = 10;

/// Measures starts of nodes as `domo node run --dev` starts them, engine and all.
pub async fn run(ground: &Ground) -> Result<Sheet, BenchError> {
    let mut measured = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let began = clock::boot_us();
        let node = OwnNode::start(ground, Agents::Engine).await?;
        measured.push(clock::boot_us() - began);
        drop(node);
    }
    let starts = Samples::new(measured);
    let size = std::fs::metadata(&ground.domo).map_err(BenchError::io(ground.domo.display()))?;
    let mut sheet = Sheet::new("start");
    sheet.under(format!(
        "{STARTS} starts on new folders in {}",
        ground.folder.display()
    ));
    sheet.under(
        "from the start of the process to its first answer; the program is in the page cache",
    );
    sheet.add(Figure::new("cold start, p50", starts.p50_ms(), "ms"));
    let slowest = Figure::new("cold start, slowest", starts.max_ms(), "ms");
    sheet.add(slowest.gate(Limit::AtMost(500.0)).aim(Limit::AtMost(100.0)));
    let megabytes = as_f64(size.len()) / 1e6;
    let size = Figure::new("size of the program", megabytes, "MB");
    sheet.add(size.gate(Limit::AtMost(40.0)).aim(Limit::AtMost(15.0)));
    Ok(sheet)
}
