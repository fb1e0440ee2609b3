//! The picture of a run: what was broken on which node, and how each case fared meanwhile.
//!
//! ```text
//! alpha  ████ kill          a lane for each node, a bar for each fault
//! beta            ████
//! cases  · · ·      : · ·   a dot for each case: how long it took to be acknowledged
//! ```

use std::fmt::Write as _;

use super::figures::{Fate, Report};

/// Wide enough for a minute on a screen.
const WIDTH: u64 = 1000;
/// Where the lanes begin: names stand before.
const LEFT: u64 = 130;
/// The height of a node's lane.
const LANE: u64 = 26;
/// The height of the cases' lane.
const CASES: u64 = 180;
/// What stands above the lanes.
const TOP: u64 = 50;
/// Names of nodes in the picture are cut after so many characters.
const NAME_CHARACTERS: usize = 14;
/// At most so many marks on the axis.
const MARKS: u64 = 12;

/// Draws it.
pub(super) fn picture(report: &Report) -> String {
    let mut nodes: Vec<&str> = report
        .faults
        .iter()
        .map(|fault| fault.node.as_str())
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    let last = report
        .canaries
        .iter()
        .map(|canary| canary.answered_ms)
        .max();
    let axis = Axis {
        end_ms: report.length_ms.max(last.unwrap_or_default()).max(1),
    };
    let lanes = LANE * nodes.len() as u64;
    let bottom = TOP + lanes + CASES + 20;
    let height = bottom + 40;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"24\" font-size=\"16\">{}: {}</text>\n",
        escaped(&report.plan),
        escaped(&report.title)
    );
    for (at, node) in (0..).zip(&nodes) {
        let y = TOP + LANE * at;
        let name: String = node.chars().take(NAME_CHARACTERS).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<text x=\"10\" y=\"{}\">{}</text>",
            y + 17,
            escaped(&name)
        );
        for fault in report.faults.iter().filter(|fault| fault.node == **node) {
            let (from, to) = (axis.x(fault.from_ms), axis.x(fault.to_ms));
            let colour = if fault.trouble.is_empty() {
                "#c0504d"
            } else {
                "#e0a030"
            };
            let _ = writeln!(
                svg,
                "<rect x=\"{from}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{colour}\"><title>{}</title></rect>",
                y + 4,
                (to - from).max(2),
                LANE - 8,
                escaped(&fault.what)
            );
            // Behind the faults the cases' lane is shaded.
            let _ = writeln!(
                svg,
                "<rect x=\"{from}\" y=\"{}\" width=\"{}\" height=\"{CASES}\" fill=\"#c0504d\" opacity=\"0.12\"/>",
                TOP + lanes + 10,
                (to - from).max(2)
            );
        }
    }
    cases(&mut svg, report, &axis, TOP + lanes + 10);
    marks(&mut svg, &axis, bottom);
    svg.push_str("</svg>\n");
    svg
}

/// From a time to its place.
struct Axis {
    end_ms: u64,
}

impl Axis {
    fn x(&self, ms: u64) -> u64 {
        LEFT + ms.min(self.end_ms) * (WIDTH - LEFT - 20) / self.end_ms
    }
}

/// A dot for each case, the higher the longer its answer took.
fn cases(svg: &mut String, report: &Report, axis: &Axis, top: u64) {
    let waits = report.canaries.iter();
    let waits = waits.map(|canary| canary.answered_ms.saturating_sub(canary.handed_ms));
    let longest = waits.max().unwrap_or_default().max(1);
    let _ = writeln!(
        svg,
        "<text x=\"10\" y=\"{}\">cases, by wait</text>\n<text x=\"10\" y=\"{}\">{longest} ms</text>\n\
         <text x=\"10\" y=\"{}\">0 ms</text>\n\
         <rect x=\"{LEFT}\" y=\"{top}\" width=\"{}\" height=\"{CASES}\" fill=\"none\" stroke=\"#999\"/>",
        top + CASES / 2,
        top + 12,
        top + CASES,
        WIDTH - LEFT - 20
    );
    for canary in &report.canaries {
        let wait = canary.answered_ms.saturating_sub(canary.handed_ms);
        let colour = match canary.fate {
            Fate::Acknowledged if canary.is_known && canary.has_succeeded => "#4f8a4f",
            Fate::Acknowledged => "#d00000",
            Fate::Refused(_) => "#e0a030",
            Fate::Unknown(_) => "#7f7f7f",
        };
        let case = canary.case.as_deref().unwrap_or("no number");
        let _ = writeln!(
            svg,
            "<circle cx=\"{}\" cy=\"{}\" r=\"3\" fill=\"{colour}\"><title>{}: {wait} ms</title></circle>",
            axis.x(canary.handed_ms),
            top + CASES - 4 - wait * (CASES - 8) / longest,
            escaped(case)
        );
    }
}

/// Seconds below it all.
fn marks(svg: &mut String, axis: &Axis, y: u64) {
    let seconds = axis.end_ms / 1000;
    let every = seconds.div_ceil(MARKS).max(1);
    for mark in (0..=seconds).step_by(usize::try_from(every).unwrap_or(1)) {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{mark} s</text>",
            axis.x(mark * 1000),
            y + 14
        );
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::picture;
    use crate::cli::chaos_report::figures::tests::report;

    #[test]
    fn a_picture_has_a_bar_for_each_fault_and_a_dot_for_each_case() {
        let svg = picture(&report());
        assert_eq!(svg.matches("fill=\"#c0504d\"><title>").count(), 1, "{svg}");
        assert_eq!(svg.matches("<circle").count(), 7, "{svg}");
        assert!(svg.contains("&lt;One&gt; kill"), "{svg}");
        assert!(svg.ends_with("</svg>\n"));
    }

    #[test]
    fn a_run_without_faults_and_cases_is_drawn_as_well() {
        let mut empty = report();
        empty.faults.clear();
        empty.canaries.clear();
        empty.length_ms = 0;
        assert!(picture(&empty).contains("</svg>"));
    }
}
