//! `domo chaos report`: what a chaos run found out, as it was written down at its end.

pub(crate) mod figures;
mod markdown;
mod timeline;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Console;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use figures::Report;

/// The file for programs.
const JSON: &str = "report.json";
/// The file for people.
const MARKDOWN: &str = "report.md";
/// The picture.
const PICTURE: &str = "timeline.svg";

/// Show the report of an earlier chaos run
///
/// `domo chaos run` leaves a folder with it: `report.json`, `report.md` and `timeline.svg`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo chaos report chaos-manager-failover-1770000000
  domo chaos report chaos-manager-failover-1770000000 --output json")]
pub(crate) struct ChaosReport {
    /// The folder that the run left
    folder: PathBuf,
}

impl Verb for ChaosReport {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let path = self.folder.join(JSON);
        let wrong = |why: String| {
            Stop::mend(
                format!("{} is no report of a chaos run: {why}", path.display()),
                "name the folder that `domo chaos run` has left",
            )
        };
        let bytes = fs::read(&path).map_err(|error| wrong(error.to_string()))?;
        let report: Report =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        show(console, &report)
    }
}

/// Prints a report.
pub(crate) fn show(console: &Console, report: &Report) -> Result<(), Stop> {
    if console.printer.is_json() {
        console.printer.json(report)?;
    } else {
        print::text(&markdown::table(report, &console.printer.paper()))?;
    }
    Ok(())
}

/// Writes a report's files into its folder, which is there.
pub(crate) fn write(folder: &Path, report: &Report) -> std::io::Result<()> {
    let json = serde_json::to_string_pretty(report)?;
    fs::write(folder.join(JSON), json + "\n")?;
    fs::write(folder.join(MARKDOWN), markdown::page(report))?;
    fs::write(folder.join(PICTURE), timeline::picture(report))
}
