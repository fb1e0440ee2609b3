//! A report as Markdown, for people.

use std::fmt::Write as _;

use super::report::{ReportDocument, StageReport};

/// The report's text.
pub(super) fn render(report: &ReportDocument) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write(&mut text, report);
    text
}

fn write(text: &mut String, report: &ReportDocument) -> std::fmt::Result {
    writeln!(text, "# {}: {}\n", report.case, one_line(&report.title))?;
    let team = report.team.as_deref().unwrap_or("none");
    writeln!(text, "**Outcome:** {} · **Team:** {team}\n", report.outcome)?;
    if let Some(reason) = &report.reason {
        writeln!(text, "**Why it ended so:** {}\n", one_line(reason))?;
    }
    writeln!(text, "{}\n", report.summary)?;
    let parts = [
        ("Root cause", &report.root_cause),
        ("Recommendation", &report.recommendation),
        ("Impact", &report.impact),
    ];
    for (heading, part) in parts {
        if let Some(part) = part {
            writeln!(text, "## {heading}\n\n{part}\n")?;
        }
    }
    if !report.stages.is_empty() {
        writeln!(text, "## Stages\n")?;
    }
    report
        .stages
        .iter()
        .try_for_each(|stage| write_stage(text, stage))
}

fn write_stage(text: &mut String, stage: &StageReport) -> std::fmt::Result {
    writeln!(text, "### {} — {}\n", stage.name, stage.status)?;
    if stage.title != stage.name && !stage.title.is_empty() {
        writeln!(text, "*{}*\n", one_line(&stage.title))?;
    }
    if stage.answered_by_hand {
        writeln!(text, "Answered by hand.\n")?;
    }
    if let Some(reason) = &stage.reason {
        writeln!(text, "Why: {}\n", one_line(reason))?;
    }
    if let Some(summary) = &stage.summary {
        writeln!(text, "{summary}\n")?;
    }
    for finding in &stage.findings {
        let severity = match finding.severity.as_str() {
            "" => String::new(),
            severity => format!(" ({})", one_line(severity)),
        };
        writeln!(text, "- **{}**{severity}", one_line(&finding.title))?;
        if !finding.detail.is_empty() {
            writeln!(text, "  {}", one_line(&finding.detail))?;
        }
        for evidence in &finding.evidence {
            writeln!(text, "  - {}", one_line(evidence))?;
        }
    }
    if !stage.findings.is_empty() {
        text.push('\n');
    }
    if stage.attempts.len() > 1 {
        writeln!(text, "Attempts:\n")?;
        for attempt in &stage.attempts {
            writeln!(
                text,
                "- {} by {}: {}",
                attempt.attempt, attempt.worker, attempt.ended
            )?;
        }
        text.push('\n');
    }
    if !stage.artifacts.is_empty() {
        writeln!(text, "Artifacts: {}\n", stage.artifacts.join(", "))?;
    }
    Ok(())
}

/// A text that cannot break out of its line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
