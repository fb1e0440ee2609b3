//! Composes a case's report from what its stages came to.
//!
//! # Why
//! The root cause is the word of the stage that stood last in the plan and names one: it saw what
//! the others found. What others say otherwise stays visible, each under its stage.

use rules::attempt::AttemptOutcome;
use rules::case::{Case, CaseOutcome, Report};
use rules::limits::MAX_SUMMARY_BYTES;
use rules::stage::{Stage, StageStatus};
use runtime::spool::result::{Finding, ParsedResult, RESULT_LIMIT_BYTES};
use serde::Serialize;

use crate::house::{Hindrance, House};

use super::markdown;

/// A report as its document has it.
#[derive(Serialize)]
pub(super) struct ReportDocument {
    pub version: u32,
    pub case: String,
    pub team: Option<String>,
    pub title: String,
    pub outcome: String,
    pub reason: Option<String>,
    pub brief_version: u32,
    pub summary: String,
    pub root_cause: Option<String>,
    pub recommendation: Option<String>,
    pub impact: Option<String>,
    pub stages: Vec<StageReport>,
}

/// What one stage came to.
#[derive(Serialize)]
pub(super) struct StageReport {
    pub name: String,
    pub title: String,
    pub status: String,
    pub reason: Option<String>,
    pub attempts: Vec<AttemptReport>,
    pub answered_by_hand: bool,
    pub summary: Option<String>,
    pub root_cause: Option<String>,
    pub findings: Vec<Finding>,
    pub artifacts: Vec<String>,
}

/// One attempt of a stage.
#[derive(Serialize)]
pub(super) struct AttemptReport {
    pub attempt: String,
    pub worker: String,
    pub ended: String,
}

/// Writes the report of a case that ends as `ending`.
pub(crate) async fn compose(
    house: &House,
    case: &Case,
    ending: CaseOutcome,
) -> Result<Report, Hindrance> {
    let mut read = Vec::new();
    for stage in &case.stages {
        let parsed = match &stage.result {
            Some(result) => {
                let text = house.text(&result.document, RESULT_LIMIT_BYTES).await?;
                // An answer by hand may be plain text.
                Some(
                    serde_json::from_str(&text).unwrap_or_else(|_| ParsedResult {
                        summary: text,
                        ..ParsedResult::default()
                    }),
                )
            }
            None => None,
        };
        read.push((stage, parsed));
    }
    let document = document(case, ending, &read);
    let json = serde_json::to_string_pretty(&document).unwrap_or_else(|_| "{}".to_owned());
    let text = markdown::render(&document);
    Ok(Report {
        summary: document.summary,
        root_cause: document.root_cause,
        recommendation: document.recommendation,
        impact: document.impact,
        document: house.keep(json).await?,
        markdown: house.keep(text).await?,
    })
}

type Read<'a> = (&'a Stage, Option<ParsedResult>);

fn document(case: &Case, ending: CaseOutcome, read: &[Read<'_>]) -> ReportDocument {
    let results = || read.iter().rev().filter_map(|(_, parsed)| parsed.as_ref());
    let last = |part: fn(&ParsedResult) -> Option<&String>| {
        results()
            .filter_map(part)
            .find(|text| !text.trim().is_empty())
            .map(|text| cut(text))
    };
    let summary = match results().find(|result| !result.summary.trim().is_empty()) {
        Some(result) => cut(&result.summary),
        None => match &case.ending_reason {
            Some(reason) => cut(&format!("the case {}: {reason}", ended_as(ending))),
            None => format!("the case {}", ended_as(ending)),
        },
    };
    ReportDocument {
        version: 1,
        case: case.id.to_string(),
        team: case.team.as_ref().map(ToString::to_string),
        title: case.title.clone(),
        outcome: ending.to_string(),
        reason: case.ending_reason.clone(),
        brief_version: case.brief_version(),
        summary,
        root_cause: last(|result| result.root_cause.as_ref()),
        recommendation: last(|result| result.recommendation.as_ref()),
        impact: last(|result| result.impact.as_ref()),
        stages: read
            .iter()
            .map(|(stage, parsed)| stage_report(case, stage, parsed.as_ref()))
            .collect(),
    }
}

fn ended_as(ending: CaseOutcome) -> &'static str {
    match ending {
        CaseOutcome::Succeeded => "succeeded",
        CaseOutcome::Failed => "failed",
        CaseOutcome::Cancelled => "was cancelled",
    }
}

fn stage_report(case: &Case, stage: &Stage, parsed: Option<&ParsedResult>) -> StageReport {
    let attempts: Vec<AttemptReport> = case
        .attempts
        .iter()
        .filter(|(_, attempt)| attempt.stage == stage.spec.name)
        .map(|(number, attempt)| AttemptReport {
            attempt: format!("{}.{number}", case.id),
            worker: attempt.worker.to_string(),
            ended: match &attempt.outcome {
                Some(AttemptOutcome::Succeeded(_)) => "succeeded".to_owned(),
                Some(AttemptOutcome::Failed { reason }) => reason.clone(),
                Some(AttemptOutcome::TimedOut { limit_ms }) => {
                    format!("time limit of {} s passed", limit_ms.div_ceil(1000))
                }
                None => format!("{:?}", attempt.status).to_lowercase(),
            },
        })
        .collect();
    let has_own_result = case.attempts.values().any(|attempt| {
        attempt.stage == stage.spec.name
            && matches!(attempt.outcome, Some(AttemptOutcome::Succeeded(_)))
    });
    let artifacts = stage.result.iter().flat_map(|result| &result.artifacts);
    StageReport {
        name: stage.spec.name.to_string(),
        title: stage.spec.title.clone(),
        status: format!("{:?}", stage.status).to_lowercase(),
        reason: stage.reason.clone(),
        attempts,
        answered_by_hand: stage.status == StageStatus::Done && !has_own_result,
        summary: parsed.map(|result| cut(&result.summary)),
        root_cause: parsed.and_then(|result| result.root_cause.clone()),
        findings: parsed
            .map(|result| result.findings.clone())
            .unwrap_or_default(),
        artifacts: artifacts.map(|artifact| artifact.name.clone()).collect(),
    }
}

/// As much of a text as a summary may have, ending at a character.
fn cut(text: &str) -> String {
    let text = text.trim();
    if text.len() <= MAX_SUMMARY_BYTES {
        return text.to_owned();
    }
    let mut end = MAX_SUMMARY_BYTES - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}
