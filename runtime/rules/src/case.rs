//! A case: what a human hands to a team, its plan, and all that came of it.
//!
//! ```text
//! open ─► planned ─► running ─► waiting(approval | paused | settlement) ─► reporting ─► closed(outcome)
//! ```
//!
//! # Invariant
//! A case is ordered by (generation, status): whatever leads back raises the generation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Body};
use crate::effect::{Effect, EffectKey};
use crate::history::History;
use crate::id::{BlobRef, CaseId, PlaybookName, RequestId, StageName, TeamName};
use crate::room::Thread;
use crate::stage::Stage;

/// What is to be done, in one of its versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// The text.
    pub text: Body,
}

/// A file that is handed along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its relative path, with `/` between its parts.
    pub path: String,
    /// Its bytes.
    pub blob: BlobRef,
}

/// What a case waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WaitingFor {
    /// A human's approval of a stage.
    Approval,
    /// A human to let it go on.
    Resume,
    /// A human to say what became of an effect.
    Settlement,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CaseOutcome {
    /// Every stage that counts has its result.
    Succeeded,
    /// A stage failed, or no plan could be made.
    Failed,
    /// A human ended it.
    Cancelled,
}

/// How far a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CaseStatus {
    /// It has no plan yet.
    Open,
    /// It has a plan, and nothing of it has begun.
    Planned,
    /// Something of it has begun.
    Running,
    /// Nothing goes on before a human says so.
    Waiting(WaitingFor),
    /// Nothing of it is left to do but the report.
    Reporting,
    /// It is over.
    Closed(CaseOutcome),
}

/// The structured outcome of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The outcome in a few sentences.
    pub summary: String,
    /// What caused the fault, where one was found.
    pub root_cause: Option<String>,
    /// What to do.
    pub recommendation: Option<String>,
    /// Who or what suffers.
    pub impact: Option<String>,
    /// The whole report as JSON.
    pub document: Body,
    /// The whole report as Markdown.
    pub markdown: Body,
}

/// A case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// Its team, once it has one.
    pub team: Option<TeamName>,
    /// What it is about, in a line.
    pub title: String,
    /// Who opened it.
    pub opened_by: String,
    /// When, for people to read.
    pub opened_wall_ms: u64,
    /// All versions of its brief, the newest last.
    pub briefs: Vec<Brief>,
    /// What the agents are given along.
    pub attachments: Vec<Attachment>,
    /// The playbook that was asked for.
    pub playbook: Option<PlaybookName>,
    /// Rises with whatever leads back.
    pub generation: u32,
    /// How far it is.
    pub status: CaseStatus,
    /// Whether the present brief has a plan.
    pub is_planned: bool,
    /// Whether a human holds it.
    pub is_paused: bool,
    /// How it will end: set when nothing is left to do but the report.
    pub ending: Option<CaseOutcome>,
    /// Why it ends so, where there is more to say than its stages do.
    pub ending_reason: Option<String>,
    /// The planning stage, where the butler's own agent plans.
    pub planning: Option<Stage>,
    /// The plan's stages, in the plan's order.
    pub stages: Vec<Stage>,
    /// All attempts, by number.
    pub attempts: BTreeMap<u32, Attempt>,
    /// Why plans were sent back, the newest last.
    pub plan_refusals: Vec<Vec<String>>,
    /// The ids of requests that spoke of it, remembered as long as it is open.
    pub requests: Vec<RequestId>,
    /// Its report, once it is closed.
    pub report: Option<Report>,
    /// When it was closed, for people to read.
    pub closed_wall_ms: Option<u64>,
    /// What happened to it.
    pub history: History,
    /// What its agents did to the outside, or were about to.
    pub effects: BTreeMap<EffectKey, Effect>,
    /// The most bytes of blobs that it has named at one time: what its team is charged with.
    pub blob_bytes: u64,
    /// What was said in its thread.
    pub thread: Thread,
}

/// The name of the planning stage; no stage of a plan may have it.
pub const PLANNING: &str = "plan";

impl Case {
    /// The stage of that name, the planning stage included.
    pub fn stage(&self, name: &StageName) -> Option<&Stage> {
        self.planning
            .iter()
            .chain(&self.stages)
            .find(|stage| stage.spec.name == *name)
    }

    /// As [`Case::stage`], to be changed.
    pub(crate) fn stage_mut(&mut self, name: &StageName) -> Option<&mut Stage> {
        self.planning
            .iter_mut()
            .chain(&mut self.stages)
            .find(|stage| stage.spec.name == *name)
    }

    /// The planning stage and the plan's stages.
    pub fn all_stages(&self) -> impl Iterator<Item = &Stage> {
        self.planning.iter().chain(&self.stages)
    }

    /// The version of the brief that is in force, from 1.
    pub fn brief_version(&self) -> u32 {
        u32::try_from(self.briefs.len()).unwrap_or(u32::MAX)
    }

    /// The live attempts with their numbers.
    pub fn live_attempts(&self) -> impl Iterator<Item = (u32, &Attempt)> {
        self.attempts
            .iter()
            .filter(|(_, attempt)| attempt.status.is_live())
            .map(|(number, attempt)| (*number, attempt))
    }

    /// Whether it is over.
    pub fn is_closed(&self) -> bool {
        matches!(self.status, CaseStatus::Closed(_))
    }

    /// Takes on `status`; a step back is a new generation.
    pub(crate) fn set_status(&mut self, status: CaseStatus) {
        if status < self.status {
            self.generation += 1;
        }
        self.status = status;
    }
}
