//! What an agent hands back: the result file of the agent contract, version 1.
//!
//! # Invariant
//! Whatever the diagnosis put in, what is written keeps the limits below.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::phrase;

/// The summary is read in a list of cases.
pub const MAX_SUMMARY_BYTES: usize = 600;
/// More findings than this are not read by anybody.
pub const MAX_FINDINGS: usize = 50;
/// A title is one line of a table.
pub const MAX_TITLE_BYTES: usize = 200;
/// One paragraph.
pub const MAX_PARAGRAPH_BYTES: usize = 2000;
/// One line on a terminal, wrapped a few times at most.
pub const MAX_EVIDENCE_BYTES: usize = 300;
/// Evidence is a sample of the recording, not the recording.
pub const MAX_EVIDENCE_LINES: usize = 40;
/// The contract's own limit is far above; a report stays readable.
pub const MAX_RESULT_BYTES: usize = 256 * 1024;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, no fault.
    Info,
    /// A fault that leaves the workload partly working, or threatens it.
    Warning,
    /// A fault that stops a workload or a node.
    Critical,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// One line.
    pub title: String,
    /// One paragraph.
    pub detail: String,
    /// How bad it is.
    pub severity: Severity,
    /// Numbers and names of objects, one line each.
    pub evidence: Vec<String>,
}

impl Finding {
    /// A finding without evidence yet.
    pub fn new(severity: Severity, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            detail: detail.into(),
            severity,
            evidence: Vec::new(),
        }
    }

    /// The finding with these lines of evidence.
    #[must_use]
    pub fn with(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

/// One stage of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStage {
    /// Its name, unique in the plan.
    pub name: String,
    /// The skill that a worker needs for it.
    pub skill: String,
    /// What it is for, one line.
    pub title: String,
    /// The stages that must be done before.
    pub after: Vec<String>,
    /// How long an attempt may take, in seconds.
    pub limit_s: u64,
    /// How often it may be tried.
    pub attempts: u32,
}

/// The stages of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In the order in which people read them.
    pub stages: Vec<PlannedStage>,
}

/// The whole result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The version of the agent contract.
    pub version: u32,
    /// One or two sentences.
    pub summary: String,
    /// What was found, the most important first.
    pub findings: Vec<Finding>,
    /// What explains the fault, if that was asked and found.
    pub root_cause: Option<String>,
    /// What to do.
    pub recommendation: Option<String>,
    /// Who suffers, and how much.
    pub impact: Option<String>,
    /// How sure the agent is, from 0.0 to 1.0.
    pub confidence: f64,
    /// The plan, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plan: Option<Plan>,
}

impl Outcome {
    /// An outcome that says only this.
    pub fn new(summary: impl Into<String>, confidence: f64) -> Self {
        Self {
            version: crate::contract::VERSION,
            summary: summary.into(),
            findings: Vec::new(),
            root_cause: None,
            recommendation: None,
            impact: None,
            confidence,
            plan: None,
        }
    }

    /// The same within all limits: what is too long is cut, what is too many is counted.
    #[must_use]
    pub fn within_limits(mut self) -> Self {
        self.summary = phrase::line(&self.summary, MAX_SUMMARY_BYTES);
        for text in [
            &mut self.root_cause,
            &mut self.recommendation,
            &mut self.impact,
        ] {
            *text = text.take().map(|t| phrase::line(&t, MAX_PARAGRAPH_BYTES));
        }
        self.confidence = if self.confidence.is_finite() {
            self.confidence
        } else {
            0.0
        };
        self.confidence = (self.confidence.clamp(0.0, 1.0) * 100.0).round() / 100.0;
        if self.findings.len() > MAX_FINDINGS {
            let left_out = self.findings.split_off(MAX_FINDINGS - 1);
            let titles = left_out
                .iter()
                .map(|f| phrase::line(&f.title, MAX_EVIDENCE_BYTES));
            self.findings.push(
                Finding::new(
                    left_out
                        .iter()
                        .map(|f| f.severity)
                        .max()
                        .unwrap_or(Severity::Info),
                    format!(
                        "{} left out",
                        phrase::count(left_out.len(), "further finding")
                    ),
                    "There were more findings than fit into one result; their titles follow.",
                )
                .with(titles),
            );
        }
        let all: Vec<usize> = self.findings.iter().map(|f| f.evidence.len()).collect();
        let mut lines = MAX_EVIDENCE_LINES;
        loop {
            for (finding, all) in self.findings.iter_mut().zip(&all) {
                bound(finding, lines, *all);
            }
            if lines <= 1 || self.json().len() <= MAX_RESULT_BYTES {
                return self;
            }
            lines /= 2;
        }
    }

    /// The result as it is written.
    pub fn json(&self) -> Vec<u8> {
        let mut bytes =
            serde_json::to_vec_pretty(self).expect("texts and finite numbers are always JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Writes `result.json` into `folder`, by rename of a temporary file beside it.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        let temporary = folder.join(".result.json.part");
        let mut file = File::create(&temporary)?;
        file.write_all(&self.json())?;
        file.sync_all()?;
        std::fs::rename(&temporary, folder.join("result.json"))
    }
}

/// Keeps so many lines of evidence, the last of which counts those of `all` that are left out.
fn bound(finding: &mut Finding, lines: usize, all: usize) {
    finding.title = phrase::line(&finding.title, MAX_TITLE_BYTES);
    finding.detail = phrase::line(&finding.detail, MAX_PARAGRAPH_BYTES);
    if finding.evidence.len() > lines {
        finding.evidence.truncate(lines - 1);
        finding.evidence.push(format!(
            "and {}",
            phrase::count(all - (lines - 1), "more line")
        ));
    }
    for line in &mut finding.evidence {
        *line = phrase::line(line, MAX_EVIDENCE_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_outcome_stays_within_the_limits() {
        let long = "é\" \n".repeat(800);
        let mut outcome = Outcome::new(long.clone(), f64::NAN);
        outcome.root_cause = Some(long.clone());
        for _ in 0..200 {
            let finding = Finding::new(Severity::Warning, long.clone(), long.clone());
            outcome.findings.push(finding.with(vec![long.clone(); 500]));
        }
        let outcome = outcome.within_limits();
        assert!(outcome.summary.len() <= MAX_SUMMARY_BYTES);
        assert_eq!(outcome.findings.len(), MAX_FINDINGS);
        assert!(
            outcome.json().len() <= MAX_RESULT_BYTES,
            "{}",
            outcome.json().len()
        );
        for finding in &outcome.findings {
            assert!(finding.title.len() <= MAX_TITLE_BYTES);
            assert!(
                finding
                    .evidence
                    .iter()
                    .all(|e| e.len() <= MAX_EVIDENCE_BYTES)
            );
        }
    }
}
