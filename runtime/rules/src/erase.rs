//! A closed case without its texts: what is left says that it was, whose, when and how it ended.
//!
//! # Invariant
//! No text that a person or an agent wrote is left, and no blob is named; numbers, names of stages,
//! workers and people, times and outcomes stay, so that the case is still found where its record
//! speaks of it.

use crate::attempt::{Attempt, AttemptOutcome, Body, StageResult};
use crate::case::Case;
use crate::history::{Event, Happened};
use crate::room::Post;
use crate::stage::{Approval, Stage};

/// What stands where a text was.
pub const ERASED: &str = "[erased]";

impl Case {
    /// Whether its texts were erased.
    pub fn is_erased(&self) -> bool {
        self.title == ERASED && self.briefs.is_empty()
    }

    /// Takes every text out of it.
    pub fn erase(&mut self) {
        self.title = erased();
        self.briefs.clear();
        self.attachments.clear();
        self.blob_bytes = 0;
        self.plan_refusals.clear();
        self.effects.clear();
        self.report = None;
        if let Some(reason) = &mut self.ending_reason {
            *reason = erased();
        }
        for stage in self.planning.iter_mut().chain(&mut self.stages) {
            erase_stage(stage);
        }
        self.attempts.values_mut().for_each(erase_attempt);
        self.history.events.iter_mut().for_each(erase_event);
        self.thread.posts.iter_mut().for_each(Post::erase);
    }
}

impl Post {
    /// Whether its text was erased.
    pub fn is_erased(&self) -> bool {
        self.text == ERASED && self.attachments.is_empty()
    }

    /// Takes its text out of it, and what came with it.
    pub fn erase(&mut self) {
        self.text = erased();
        self.attachments.clear();
    }
}

fn erased() -> String {
    ERASED.to_owned()
}

fn erase_stage(stage: &mut Stage) {
    stage.spec.title.clear();
    stage.spec.brief.clear();
    if let Some(approval) = &mut stage.spec.approval {
        approval.note.clear();
    }
    if let Approval::Given { note, .. } = &mut stage.approval {
        note.clear();
    }
    if let Some(result) = &mut stage.result {
        erase_result(result);
    }
    if let Some(reason) = &mut stage.reason {
        *reason = erased();
    }
    stage.parked = None;
}

fn erase_result(result: &mut StageResult) {
    result.summary = erased();
    result.document = Body::Inline("{}".to_owned());
    result.artifacts.clear();
}

fn erase_attempt(attempt: &mut Attempt) {
    match &mut attempt.outcome {
        Some(AttemptOutcome::Succeeded(result)) => erase_result(result),
        Some(AttemptOutcome::Failed { reason }) => *reason = erased(),
        Some(AttemptOutcome::TimedOut { .. }) | None => {}
    }
}

fn erase_event(event: &mut Event) {
    match &mut event.what {
        Happened::Routed(_, text)
        | Happened::AttemptFailed(_, _, text)
        | Happened::Superseded(_, _, text)
        | Happened::Done(_, text)
        | Happened::Answered(_, text)
        | Happened::Failed(_, text)
        | Happened::Skipped(_, text)
        | Happened::Approved(_, text)
        | Happened::Rejected(_, text)
        | Happened::EffectEnded(_, _, text)
        | Happened::Parked(_, _, text)
        | Happened::EffectSettled(_, _, _, text)
        | Happened::Paused(text)
        | Happened::Cancelled(text) => *text = erased(),
        Happened::PlanRefused(reasons) => reasons.clear(),
        Happened::Opened
        | Happened::Planned(_)
        | Happened::Assigned(..)
        | Happened::Started(..)
        | Happened::ApprovalAsked(_)
        | Happened::EffectIntended(..)
        | Happened::Resumed
        | Happened::Amended(_)
        | Happened::Closed(_) => {}
    }
}
