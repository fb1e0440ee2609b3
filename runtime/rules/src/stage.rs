//! A stage: one step of a case's plan, a slot to be filled by an attempt.
//!
//! # Invariant
//! A stage is ordered by (generation, status); a retry is a new generation, never a step back.

use serde::{Deserialize, Serialize};

use crate::attempt::StageResult;
use crate::id::{HumanName, SkillName, StageName, WorkerName};
use crate::parked::Parked;

/// What a stage needs of the worker that runs it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Need {
    /// Any worker of the team that has this skill.
    Skill(SkillName),
    /// This worker of the team.
    Worker(WorkerName),
    /// The butler's own agent, whatever its name: the planning needs it, and no stage of a plan may.
    Butler,
}

/// What becomes of the case when a stage fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnFailure {
    /// What leans on the stage is skipped, and the case fails.
    #[default]
    Fail,
    /// The case goes on as if it were done, without its result.
    Continue,
}

/// Who may approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Approver {
    /// This person.
    Human(HumanName),
    /// Whoever has this role in the team: `admin`, `lead` or `member`.
    Role(String),
}

/// That a stage begins only when a human says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalSpec {
    /// Who may say so; no one named means whoever leads.
    pub by: Vec<Approver>,
    /// What they are asked.
    pub note: String,
}

/// A stage as a plan describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSpec {
    /// Its name within the case.
    pub name: StageName,
    /// What it is, in a line.
    pub title: String,
    /// What it needs of its worker.
    pub need: Need,
    /// The stages whose results it needs.
    pub after: Vec<StageName>,
    /// How long an attempt may take; without it as long as its worker's agent may.
    pub limit_ms: Option<u64>,
    /// How many attempts it has.
    pub attempts: u32,
    /// Whether a human must let it begin.
    pub approval: Option<ApprovalSpec>,
    /// What becomes of the case when it fails.
    pub on_failure: OnFailure,
    /// What its agent is told beside the case's brief.
    pub brief: String,
}

/// How far a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StageStatus {
    /// It waits for other stages, for an approval or for a worker.
    Pending,
    /// It waits for a human: going on could do an effect twice.
    Parked,
    /// It has an attempt.
    Assigned,
    /// Its attempt's agent runs.
    Running,
    /// It has its one accepted result.
    Done,
    /// Its attempts are used up, or a human refused it.
    Failed,
    /// A stage that it needs did not come to a result, or the case ended.
    Skipped,
}

impl StageStatus {
    /// Whether nothing more can come of it in this generation.
    pub fn is_final(self) -> bool {
        self >= Self::Done
    }
}

/// Where an approval stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Approval {
    /// None is needed, or its time has not come.
    NotAsked,
    /// The stage could begin and waits for it.
    Asked,
    /// It was given.
    Given {
        /// By whom.
        by: String,
        /// What they said.
        note: String,
    },
}

/// A stage of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// What the plan says.
    pub spec: StageSpec,
    /// Rises with each retry.
    pub generation: u32,
    /// How far it is.
    pub status: StageStatus,
    /// Its live attempt.
    pub attempt: Option<u32>,
    /// Attempts that failed.
    pub failed_attempts: u32,
    /// Attempts that were lost with their container or node.
    pub lost_attempts: u32,
    /// Where its approval stands.
    pub approval: Approval,
    /// Its accepted result.
    pub result: Option<StageResult>,
    /// Why it failed, was skipped, was parked, or was tried again.
    pub reason: Option<String>,
    /// What must be settled before it goes on, while it is parked.
    pub parked: Option<Parked>,
}

impl Stage {
    /// A stage that nothing has happened to yet.
    pub fn new(spec: StageSpec) -> Self {
        Self {
            spec,
            generation: 1,
            status: StageStatus::Pending,
            attempt: None,
            failed_attempts: 0,
            lost_attempts: 0,
            approval: Approval::NotAsked,
            result: None,
            reason: None,
            parked: None,
        }
    }

    /// Whether a stage that needs this one may go on.
    pub fn lets_pass(&self) -> bool {
        self.status == StageStatus::Done
            || (self.status == StageStatus::Failed && self.spec.on_failure == OnFailure::Continue)
    }

    /// Whether a stage that needs this one never can go on.
    pub fn blocks(&self) -> bool {
        self.status.is_final() && !self.lets_pass()
    }

    /// Ends it without a result.
    pub(crate) fn end(&mut self, status: StageStatus, reason: &str) {
        debug_assert!(status.is_final());
        self.status = status;
        self.attempt = None;
        self.parked = None;
        self.reason = Some(reason.to_owned());
    }

    /// Makes it wait for its next attempt.
    pub(crate) fn again(&mut self, reason: &str) {
        self.generation += 1;
        self.status = StageStatus::Pending;
        self.attempt = None;
        self.reason = Some(reason.to_owned());
    }
}
