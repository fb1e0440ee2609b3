//! A case of the rules as it is shown.

use rules::attempt::{Artifact, Attempt, AttemptOutcome, Body, StageResult};
use rules::case::{Attachment, Case, Report};
use rules::id::{AttemptId, BlobRef, CaseId};
use rules::stage::{Approval, Stage};
use runtime::archive::CaseSummary;

use super::document::{approvers, needs, on_failure};
use super::history::line as history_line;
use super::target::effects;
use crate::admin::wire;

/// How far a case is, how it ended, and what it waits for.
pub(in crate::admin) fn status(
    status: rules::case::CaseStatus,
) -> (
    wire::CaseStatus,
    Option<wire::CaseOutcome>,
    Option<wire::Waiting>,
) {
    use rules::case::{CaseStatus, WaitingFor};
    match status {
        CaseStatus::Open => (wire::CaseStatus::Open, None, None),
        CaseStatus::Planned => (wire::CaseStatus::Planned, None, None),
        CaseStatus::Running => (wire::CaseStatus::Running, None, None),
        CaseStatus::Waiting(WaitingFor::Approval) => (
            wire::CaseStatus::Waiting,
            None,
            Some(wire::Waiting::Approval),
        ),
        CaseStatus::Waiting(WaitingFor::Resume) => {
            (wire::CaseStatus::Waiting, None, Some(wire::Waiting::Resume))
        }
        CaseStatus::Waiting(WaitingFor::Settlement) => (
            wire::CaseStatus::Waiting,
            None,
            Some(wire::Waiting::Settlement),
        ),
        CaseStatus::Reporting => (wire::CaseStatus::Reporting, None, None),
        CaseStatus::Closed(ended) => (wire::CaseStatus::Closed, Some(outcome(ended)), None),
    }
}

/// How a case ended.
pub(in crate::admin) fn outcome(outcome: rules::case::CaseOutcome) -> wire::CaseOutcome {
    use rules::case::CaseOutcome;
    match outcome {
        CaseOutcome::Succeeded => wire::CaseOutcome::Succeeded,
        CaseOutcome::Failed => wire::CaseOutcome::Failed,
        CaseOutcome::Cancelled => wire::CaseOutcome::Cancelled,
    }
}

/// A case in a line.
pub(in crate::admin) fn line(case: &Case) -> wire::CaseLine {
    let (status, outcome, waiting_for) = status(case.status);
    wire::CaseLine {
        id: case.id.to_string(),
        team: case.team.as_ref().map(ToString::to_string),
        title: case.title.clone(),
        status,
        outcome,
        waiting_for,
        opened_by: case.opened_by.clone(),
        opened: wire::Moment::from_ms(case.opened_wall_ms),
        closed: case.closed_wall_ms.map(wire::Moment::from_ms),
        stages_done: Some(stages_done(case)),
        stages: Some(case.stages.len() as u64),
        live_attempts: case.live_attempts().count() as u64,
    }
}

/// How many stages of a case's plan have their result.
pub(in crate::admin) fn stages_done(case: &Case) -> u64 {
    let done = |stage: &&Stage| stage.status == rules::stage::StageStatus::Done;
    case.stages.iter().filter(done).count() as u64
}

/// A closed case in a line, from what the archive's list says of it.
pub(in crate::admin) fn closed_line(case: &CaseSummary) -> wire::CaseLine {
    wire::CaseLine {
        id: case.id.to_string(),
        team: case.team.as_ref().map(ToString::to_string),
        title: case.title.clone(),
        status: wire::CaseStatus::Closed,
        outcome: Some(outcome(case.outcome)),
        waiting_for: None,
        opened_by: case.opened_by.clone(),
        opened: wire::Moment::from_ms(case.opened_wall_ms),
        closed: Some(wire::Moment::from_ms(case.closed_wall_ms)),
        stages_done: None,
        stages: None,
        live_attempts: 0,
    }
}

/// Everything about a case.
pub(in crate::admin) fn view(case: &Case, freshness: wire::Freshness) -> wire::CaseView {
    let brief = |(at, brief): (usize, &rules::case::Brief)| {
        let (text, blob) = body(&brief.text);
        let version = u32::try_from(at + 1).unwrap_or(u32::MAX);
        wire::Brief {
            version,
            text,
            blob,
        }
    };
    wire::CaseView {
        line: line(case),
        briefs: case.briefs.iter().enumerate().map(brief).collect(),
        attachments: case.attachments.iter().map(attachment).collect(),
        playbook: case.playbook.as_ref().map(ToString::to_string),
        generation: case.generation,
        is_paused: case.is_paused,
        ending: case.ending.map(outcome),
        ending_reason: case.ending_reason.clone(),
        plan: case.all_stages().map(stage).collect(),
        attempts: case
            .attempts
            .iter()
            .map(|(number, attempt)| attempt_view(case.id, *number, attempt))
            .collect(),
        effects: effects(case),
        plan_refusals: case.plan_refusals.clone(),
        report: case.report.as_ref().map(report),
        history: case.history.events.iter().map(history_line).collect(),
        history_dropped: case.history.dropped,
        freshness,
    }
}

fn body(body: &Body) -> (Option<String>, Option<wire::Blob>) {
    match body {
        Body::Inline(text) => (Some(text.clone()), None),
        Body::Blob(named) => (None, Some(blob(named))),
    }
}

/// A blob's name.
pub(in crate::admin) fn blob(blob: &BlobRef) -> wire::Blob {
    wire::Blob {
        sha256: blob.to_string(),
        bytes: blob.bytes,
    }
}

fn attachment(attachment: &Attachment) -> wire::Held {
    wire::Held {
        path: attachment.path.clone(),
        blob: blob(&attachment.blob),
    }
}

fn artifact(artifact: &Artifact) -> wire::Held {
    wire::Held {
        path: artifact.name.clone(),
        blob: blob(&artifact.blob),
    }
}

/// A document as JSON: a text that is none is shown as a text.
pub(in crate::admin) fn document(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_owned()))
}

fn result(result: &StageResult) -> wire::ResultView {
    let (text, document_blob) = body(&result.document);
    wire::ResultView {
        summary: result.summary.clone(),
        document: text.as_deref().map(document),
        document_blob,
        artifacts: result.artifacts.iter().map(artifact).collect(),
    }
}

/// A report, its long parts left out.
pub(in crate::admin) fn report(report: &Report) -> wire::Report {
    wire::Report {
        summary: report.summary.clone(),
        root_cause: report.root_cause.clone(),
        recommendation: report.recommendation.clone(),
        impact: report.impact.clone(),
        document: body(&report.document).0.as_deref().map(document),
        markdown: body(&report.markdown).0,
    }
}

fn stage_status(status: rules::stage::StageStatus) -> wire::StageStatus {
    use rules::stage::StageStatus;
    match status {
        StageStatus::Pending => wire::StageStatus::Pending,
        StageStatus::Parked => wire::StageStatus::Parked,
        StageStatus::Assigned => wire::StageStatus::Assigned,
        StageStatus::Running => wire::StageStatus::Running,
        StageStatus::Done => wire::StageStatus::Done,
        StageStatus::Failed => wire::StageStatus::Failed,
        StageStatus::Skipped => wire::StageStatus::Skipped,
    }
}

fn stage(stage: &Stage) -> wire::StageView {
    let spec = &stage.spec;
    wire::StageView {
        name: spec.name.to_string(),
        title: spec.title.clone(),
        status: stage_status(stage.status),
        generation: stage.generation,
        needs: needs(&spec.need),
        after: spec.after.iter().map(ToString::to_string).collect(),
        limit_ms: spec.limit_ms,
        attempts_allowed: spec.attempts,
        attempts_failed: stage.failed_attempts,
        attempts_lost: stage.lost_attempts,
        attempt: stage.attempt,
        on_failure: on_failure(spec.on_failure),
        approval: approval(stage),
        result: stage.result.as_ref().map(result),
        reason: stage.reason.clone(),
        brief: spec.brief.clone(),
    }
}

fn approval(stage: &Stage) -> Option<wire::ApprovalView> {
    let wanted = stage.spec.approval.as_ref()?;
    let (stands, given) = match &stage.approval {
        Approval::NotAsked => (wire::ApprovalState::Later, None),
        Approval::Asked => (wire::ApprovalState::Asked, None),
        Approval::Given { by, note } => {
            (wire::ApprovalState::Given, Some((by.clone(), note.clone())))
        }
    };
    let (given_by, given_note) = given.unzip();
    Some(wire::ApprovalView {
        by: approvers(&wanted.by),
        note: wanted.note.clone(),
        state: stands,
        given_by,
        given_note,
    })
}

fn attempt_view(case: CaseId, number: u32, attempt: &Attempt) -> wire::AttemptView {
    let (status, reason) = attempt_status(attempt);
    wire::AttemptView {
        id: AttemptId { case, number }.to_string(),
        number,
        stage: attempt.stage.to_string(),
        worker: attempt.worker.to_string(),
        epoch: attempt.epoch.0,
        node: attempt.node.to_string(),
        brief_version: attempt.brief_version,
        status,
        reason,
        assigned: wire::Moment::from_ms(attempt.assigned_wall_ms),
        ended: attempt.ended_wall_ms.map(wire::Moment::from_ms),
    }
}

fn attempt_status(attempt: &Attempt) -> (wire::AttemptStatus, Option<String>) {
    use rules::attempt::AttemptStatus;
    match (attempt.status, &attempt.outcome) {
        (AttemptStatus::Assigned, _) => (wire::AttemptStatus::Assigned, None),
        (AttemptStatus::Preparing, _) => (wire::AttemptStatus::Preparing, None),
        (AttemptStatus::Running, _) => (wire::AttemptStatus::Running, None),
        (AttemptStatus::Finished, Some(AttemptOutcome::Succeeded(_))) => {
            (wire::AttemptStatus::Succeeded, None)
        }
        (AttemptStatus::Finished, Some(AttemptOutcome::Failed { reason })) => {
            (wire::AttemptStatus::Failed, Some(reason.clone()))
        }
        (AttemptStatus::Finished, Some(AttemptOutcome::TimedOut { limit_ms })) => {
            let reason = format!("time limit of {limit_ms} ms passed");
            (wire::AttemptStatus::Timeout, Some(reason))
        }
        (AttemptStatus::Finished, None) => (wire::AttemptStatus::Failed, None),
        (AttemptStatus::Lost, _) => (wire::AttemptStatus::Lost, None),
        (AttemptStatus::Superseded, _) => (wire::AttemptStatus::Superseded, None),
        (AttemptStatus::Cancelled, _) => (wire::AttemptStatus::Cancelled, None),
    }
}
