//! A report as people read it: a page, and what of it stands on a terminal.

use std::fmt::Write as _;

use super::figures::{Report, Spread};
use crate::cli::print::Paper;

/// What a terminal shows.
pub(super) fn table(report: &Report, paper: &Paper) -> String {
    let mut text = head(report);
    let rows = report.faults.iter().map(|fault| {
        [
            seconds(fault.from_ms),
            seconds(fault.to_ms),
            fault.what.clone(),
            fault.node.clone(),
            fault
                .takeover_ms
                .map_or_else(String::new, |ms| format!("{ms} ms")),
            fault.trouble.clone(),
        ]
    });
    let head = ["FROM", "TO", "WHAT", "NODE", "TAKEOVER", "TROUBLE"];
    text.push_str(&paper.table(head, rows.collect()));
    text.push('\n');
    text.push_str(&sums(report));
    text.push('\n');
    let rows = report.checks.iter().map(|check| {
        let held = if check.has_held { "held" } else { "BROKEN" };
        [held.to_owned(), check.what.clone(), check.seen.clone()]
    });
    text.push_str(&paper.table(["", "WHAT HAD TO HOLD", "SEEN"], rows.collect()));
    text
}

/// The page.
pub(super) fn page(report: &Report) -> String {
    let mut text = format!("# Chaos run: {}\n\n{}\n", plain(&report.plan), head(report));
    text.push_str("![timeline](timeline.svg)\n\n");
    text.push_str("| from | to | what | node | takeover | trouble |\n|---|---|---|---|---|---|\n");
    for fault in &report.faults {
        let takeover = fault
            .takeover_ms
            .map_or_else(String::new, |ms| format!("{ms} ms"));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {takeover} | {} |",
            seconds(fault.from_ms),
            seconds(fault.to_ms),
            plain(&fault.what),
            plain(&fault.node),
            plain(&fault.trouble)
        );
    }
    let _ = write!(text, "\n{}\n", sums(report));
    text.push_str("| | what had to hold | seen |\n|---|---|---|\n");
    for check in &report.checks {
        let held = if check.has_held { "held" } else { "**BROKEN**" };
        let _ = writeln!(text, "| {held} | {} | {} |", check.what, plain(&check.seen));
    }
    text
}

fn head(report: &Report) -> String {
    let ended = if report.was_interrupted {
        ", interrupted"
    } else {
        ""
    };
    format!(
        "{}\nrun {} of {}, {}{ended}\n\n",
        plain(&report.title),
        report.run,
        report.began,
        seconds(report.length_ms)
    )
}

fn sums(report: &Report) -> String {
    let promised = &report.promised;
    format!(
        "canary cases: {} handed over, {} acknowledged, {} refused, {} unknown; {} closed, {} lost, {} done twice\n\
         takeover: {}\nclosing:  {}\n",
        promised.handed,
        promised.acknowledged,
        promised.refused,
        promised.unknown,
        promised.closed,
        promised.lost,
        promised.doubled,
        spread(&report.takeover),
        spread(&report.closing),
    )
}

fn spread(spread: &Spread) -> String {
    format!(
        "p50 {} ms, p99 {} ms, max {} ms (of {})",
        spread.p50_ms, spread.p99_ms, spread.max_ms, spread.count
    )
}

fn seconds(ms: u64) -> String {
    format!("{}.{:02} s", ms / 1000, ms % 1000 / 10)
}

/// A text that stays within its cell.
fn plain(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::{page, table};
    use crate::cli::chaos_report::figures::tests::report;
    use crate::cli::print::Paper;

    #[test]
    fn a_report_says_what_was_done_promised_and_held() {
        let report = report();
        for text in [page(&report), table(&report, &Paper::default())] {
            for said in [
                "kill the node of the Manager",
                "alpha",
                "3190 ms",
                "7 acknowledged",
                "0 lost",
                "p50 3190 ms, p99 3190 ms, max 3190 ms (of 1)",
                "held",
                "3.00 s",
            ] {
                assert!(text.contains(said), "{said} is not in:\n{text}");
            }
            assert!(!text.contains("BROKEN"), "{text}");
        }
    }
}
