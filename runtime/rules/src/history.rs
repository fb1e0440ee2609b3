//! What happened to a case, in the order of the ledger: the lines that people read.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::attempt::AttemptOutcome;
use crate::case::CaseOutcome;
use crate::effect::EffectKey;
use crate::id::{NodeId, StageName, TargetName, TeamName, WorkerName};
use crate::limits;

/// One thing that happened, said by an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The entry's place in the ledger.
    pub index: u64,
    /// The wall clock of the node that took the command in, for people to read.
    pub wall_ms: u64,
    /// Who asked for it.
    pub by: String,
    /// What happened.
    pub what: Happened,
}

/// The kinds of things that happen to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happened {
    /// It was handed over.
    Opened,
    /// It was given to a team.
    Routed(TeamName, String),
    /// It got its plan, with that many stages.
    Planned(u32),
    /// A plan was sent back.
    PlanRefused(Vec<String>),
    /// A stage was given to a worker as the attempt of that number.
    Assigned(StageName, u32, WorkerName, NodeId),
    /// The agent of an attempt runs.
    Started(StageName, u32),
    /// An attempt ended without a result.
    AttemptFailed(StageName, u32, String),
    /// An attempt was taken back.
    Superseded(StageName, u32, String),
    /// A stage has its result: its summary.
    Done(StageName, String),
    /// A stage was answered by hand.
    Answered(StageName, String),
    /// A stage failed for good.
    Failed(StageName, String),
    /// A stage was skipped.
    Skipped(StageName, String),
    /// A stage waits for an approval.
    ApprovalAsked(StageName),
    /// It was given.
    Approved(StageName, String),
    /// It was refused.
    Rejected(StageName, String),
    /// An attempt is about to have an effect: its key, target and method.
    EffectIntended(StageName, u32, EffectKey, TargetName, String),
    /// What became of an effect.
    EffectEnded(StageName, EffectKey, String),
    /// A stage was parked: what must be settled, and why.
    Parked(StageName, Vec<EffectKey>, String),
    /// A human said whether an effect was done, and how they know.
    EffectSettled(StageName, EffectKey, bool, String),
    /// The case was held.
    Paused(String),
    /// It goes on.
    Resumed,
    /// Its brief has a new version.
    Amended(u32),
    /// A human ended it.
    Cancelled(String),
    /// It was closed.
    Closed(CaseOutcome),
}

/// What a human did, and why, where they said so.
fn because(f: &mut fmt::Formatter<'_>, what: fmt::Arguments<'_>, why: &str) -> fmt::Result {
    match why {
        "" => f.write_fmt(what),
        why => write!(f, "{what}: {why}"),
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened => f.write_str("opened"),
            Self::Routed(team, why) => write!(f, "given to team {team}: {why}"),
            Self::Planned(1) => f.write_str("planned with 1 stage"),
            Self::Planned(stages) => write!(f, "planned with {stages} stages"),
            Self::PlanRefused(reasons) => write!(f, "plan sent back: {}", reasons.join("; ")),
            Self::Assigned(stage, attempt, worker, node) => {
                write!(f, "{stage}: attempt {attempt} given to {worker} on {node}")
            }
            Self::Started(stage, attempt) => write!(f, "{stage}: attempt {attempt} runs"),
            Self::AttemptFailed(stage, attempt, why) => {
                write!(f, "{stage}: attempt {attempt} failed: {why}")
            }
            Self::Superseded(stage, attempt, why) => {
                write!(f, "{stage}: attempt {attempt} taken back: {why}")
            }
            Self::Done(stage, summary) => write!(f, "{stage}: done: {summary}"),
            Self::Answered(stage, summary) => write!(f, "{stage}: answered by hand: {summary}"),
            Self::Failed(stage, why) => write!(f, "{stage}: failed: {why}"),
            Self::Skipped(stage, why) => write!(f, "{stage}: skipped: {why}"),
            Self::ApprovalAsked(stage) => write!(f, "{stage}: waits for an approval"),
            Self::Approved(stage, note) => because(f, format_args!("{stage}: approved"), note),
            Self::Rejected(stage, why) => because(f, format_args!("{stage}: not approved"), why),
            Self::EffectIntended(stage, attempt, key, target, method) => {
                write!(
                    f,
                    "{stage}: attempt {attempt} intends {method} on {target} ({key})"
                )
            }
            Self::EffectEnded(stage, key, what) => write!(f, "{stage}: effect {key} {what}"),
            Self::Parked(stage, keys, why) => {
                let keys: Vec<&str> = keys.iter().map(EffectKey::as_str).collect();
                write!(
                    f,
                    "{stage}: parked until {} is settled: {why}",
                    keys.join(", ")
                )
            }
            Self::EffectSettled(stage, key, was_done, why) => {
                let not = if *was_done { "" } else { "not " };
                write!(f, "{stage}: effect {key} was {not}done: {why}")
            }
            Self::Paused(why) => because(f, format_args!("paused"), why),
            Self::Resumed => f.write_str("resumed"),
            Self::Amended(version) => write!(f, "brief amended to version {version}"),
            Self::Cancelled(why) => because(f, format_args!("cancelled"), why),
            Self::Closed(outcome) => write!(f, "closed: {outcome}"),
        }
    }
}

impl fmt::Display for CaseOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        })
    }
}

/// What ended an attempt without a result, in words.
pub(crate) fn failure(outcome: &AttemptOutcome) -> String {
    match outcome {
        AttemptOutcome::Succeeded(_) => "it succeeded".to_owned(),
        AttemptOutcome::Failed { reason } => reason.clone(),
        AttemptOutcome::TimedOut { limit_ms } => {
            format!("time limit of {} s passed", limit_ms.div_ceil(1000))
        }
    }
}

/// The events of a case; the oldest but the first go when there are too many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The events that are kept, in their order.
    pub events: Vec<Event>,
    /// How many were dropped after the first.
    pub dropped: u64,
}

impl History {
    /// Adds an event.
    pub(crate) fn push(&mut self, event: Event) {
        if self.events.len() >= limits::MAX_HISTORY {
            // A block at a time, so that the cost of moving the rest is shared by many events.
            let block = limits::MAX_HISTORY / 4;
            self.events.drain(1..=block);
            self.dropped += block as u64;
        }
        self.events.push(event);
    }
}
