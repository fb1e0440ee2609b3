//! A line of a case's history as it is shown.

use rules::history::{Event, Happened};

use crate::admin::wire::{HistoryLine, Moment};

/// A line of the history.
pub(in crate::admin) fn line(event: &Event) -> HistoryLine {
    let (kind, stage, attempt) = parts(&event.what);
    HistoryLine {
        index: event.index,
        at: Moment::from_ms(event.wall_ms),
        by: event.by.clone(),
        kind: kind.to_owned(),
        stage,
        attempt,
        text: event.what.to_string(),
    }
}

/// The kind for programs, the stage and the attempt that it is about.
fn parts(what: &Happened) -> (&'static str, Option<String>, Option<u32>) {
    let case = |kind| (kind, None, None);
    let of = |kind, stage: &rules::id::StageName| (kind, Some(stage.to_string()), None);
    let run = |kind, stage: &rules::id::StageName, attempt: &u32| {
        (kind, Some(stage.to_string()), Some(*attempt))
    };
    match what {
        Happened::Opened => case("opened"),
        Happened::Routed(..) => case("routed"),
        Happened::Planned(_) => case("planned"),
        Happened::PlanRefused(_) => case("plan_refused"),
        Happened::Assigned(stage, attempt, ..) => run("assigned", stage, attempt),
        Happened::Started(stage, attempt) => run("started", stage, attempt),
        Happened::AttemptFailed(stage, attempt, _) => run("attempt_failed", stage, attempt),
        Happened::Superseded(stage, attempt, _) => run("superseded", stage, attempt),
        Happened::Done(stage, _) => of("done", stage),
        Happened::Answered(stage, _) => of("answered", stage),
        Happened::Failed(stage, _) => of("failed", stage),
        Happened::Skipped(stage, _) => of("skipped", stage),
        Happened::ApprovalAsked(stage) => of("approval_asked", stage),
        Happened::Approved(stage, _) => of("approved", stage),
        Happened::Rejected(stage, _) => of("rejected", stage),
        Happened::EffectIntended(stage, attempt, ..) => run("effect_intended", stage, attempt),
        Happened::EffectEnded(stage, ..) => of("effect_ended", stage),
        Happened::Parked(stage, ..) => of("parked", stage),
        Happened::EffectSettled(stage, ..) => of("effect_settled", stage),
        Happened::Paused(_) => case("paused"),
        Happened::Resumed => case("resumed"),
        Happened::Amended(_) => case("amended"),
        Happened::Cancelled(_) => case("cancelled"),
        Happened::Closed(_) => case("closed"),
    }
}
