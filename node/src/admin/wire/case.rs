//! A case as people and programs read it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Approver, Blob, EffectView, Moment, Needs, OnFailure};

/// How old an answer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Freshness {
    /// The last entry of the ledger that the answer knows.
    pub applied_index: u64,
    /// How long ago this node last knew that it was up to date; 0 for a linearizable answer.
    pub age_ms: u64,
    /// Whether nothing acknowledged before the request can be missing.
    pub is_linearizable: bool,
}

/// How far a case is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum CaseStatus {
    /// It has no plan yet.
    Open,
    /// It has a plan, and nothing of it has begun.
    Planned,
    /// Something of it has begun.
    Running,
    /// Nothing goes on before a human says so.
    Waiting,
    /// Nothing of it is left to do but the report.
    Reporting,
    /// It is over.
    Closed,
    /// A word of a later release.
    #[serde(other)]
    Unnamed,
}

/// How a case ended.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum CaseOutcome {
    /// Every stage that counts has its result.
    Succeeded,
    /// A stage failed, or no plan could be made.
    Failed,
    /// A human ended it.
    Cancelled,
    /// A word of a later release.
    #[serde(other)]
    Unnamed,
}

/// What a case waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Waiting {
    /// A human's approval of a stage.
    Approval,
    /// A human to let it go on.
    Resume,
    /// A human to say what became of an effect.
    Settlement,
    /// A word of a later release.
    #[serde(other)]
    Unnamed,
}

/// A case in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseLine {
    /// Its number.
    #[schema(example = "c-1")]
    pub id: String,
    /// Its team, once it has one.
    pub team: Option<String>,
    /// What it is about.
    pub title: String,
    /// How far it is.
    pub status: CaseStatus,
    /// How it ended, once it is closed.
    pub outcome: Option<CaseOutcome>,
    /// What it waits for, while it does.
    pub waiting_for: Option<Waiting>,
    /// Who opened it.
    pub opened_by: String,
    /// When.
    pub opened: Moment,
    /// When it was closed.
    pub closed: Option<Moment>,
    /// Stages that have their result; not said of closed cases in lists.
    pub stages_done: Option<u64>,
    /// Stages of the plan; not said of closed cases in lists.
    pub stages: Option<u64>,
    /// Attempts whose agents may run now.
    pub live_attempts: u64,
}

/// Some cases, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<CaseLine>,
    /// Give this as `after` to read on; absent at the end.
    pub next: Option<String>,
    /// How old the answer is.
    pub freshness: Freshness,
}

/// A text, or the digest of one that is too long to stand here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Brief {
    /// Its version, from 1.
    pub version: u32,
    /// The text, where it is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The blob with the text, where it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<Blob>,
}

/// A file that a case holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Held {
    /// Its relative path, as it was named by whoever brought it.
    pub path: String,
    /// Its bytes.
    pub blob: Blob,
}

/// Everything about a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CaseView {
    /// The case in a line.
    #[serde(flatten)]
    pub line: CaseLine,
    /// All versions of its brief, the newest last.
    pub briefs: Vec<Brief>,
    /// What the agents are given along.
    pub attachments: Vec<Held>,
    /// The playbook that it follows.
    pub playbook: Option<String>,
    /// Rises with whatever leads back: a resume, an amendment.
    pub generation: u32,
    /// Whether a human holds it.
    pub is_paused: bool,
    /// How it will end, when nothing is left but the report.
    pub ending: Option<CaseOutcome>,
    /// Why it ends so.
    pub ending_reason: Option<String>,
    /// The planning stage, where the butler's own agent plans, then the plan's, in its order.
    pub plan: Vec<StageView>,
    /// All attempts, by number.
    pub attempts: Vec<AttemptView>,
    /// What its agents did to the outside, or were about to do.
    #[serde(default)]
    pub effects: Vec<EffectView>,
    /// Why plans of the butler's agent were sent back, the newest last.
    pub plan_refusals: Vec<Vec<String>>,
    /// Its report, once it is closed.
    pub report: Option<Report>,
    /// What happened to it, the oldest first.
    pub history: Vec<HistoryLine>,
    /// Lines of the history that were dropped after the first.
    pub history_dropped: u64,
    /// How old the answer is.
    pub freshness: Freshness,
}

/// How far a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
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
    /// What it needs did not come, or the case ended.
    Skipped,
    /// A word of a later release.
    #[serde(other)]
    Unnamed,
}

/// A stage of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StageView {
    /// Its name within the case.
    pub name: String,
    /// What it is, in a line.
    pub title: String,
    /// How far it is.
    pub status: StageStatus,
    /// Rises with each retry.
    pub generation: u32,
    /// Who can do it.
    pub needs: Needs,
    /// The stages whose results it needs.
    pub after: Vec<String>,
    /// How long one attempt may take; without it as long as the worker's limits say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_ms: Option<u64>,
    /// How many attempts it has.
    pub attempts_allowed: u32,
    /// Attempts that failed.
    pub attempts_failed: u32,
    /// Attempts that were lost with their container or node.
    pub attempts_lost: u32,
    /// Its live attempt.
    pub attempt: Option<u32>,
    /// What becomes of the case when it fails.
    pub on_failure: OnFailure,
    /// Its approval, where it needs one.
    pub approval: Option<ApprovalView>,
    /// Its accepted result.
    pub result: Option<ResultView>,
    /// Why it failed, was skipped, or was tried again.
    pub reason: Option<String>,
    /// What its agent is told beside the case's brief.
    pub brief: String,
}

/// Where an approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalState {
    /// Its time has not come.
    Later,
    /// The stage could begin and waits for it.
    Asked,
    /// It was given.
    Given,
    /// A word of a later release.
    #[serde(other)]
    Unnamed,
}

/// An approval of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalView {
    /// Who may give it.
    pub by: Vec<Approver>,
    /// What they are asked.
    pub note: String,
    /// Where it stands.
    pub state: ApprovalState,
    /// Who gave it.
    pub given_by: Option<String>,
    /// What they said.
    pub given_note: Option<String>,
}

/// The result of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResultView {
    /// What was found, in a few sentences.
    pub summary: String,
    /// The whole result, where it is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub document: Option<serde_json::Value>,
    /// The blob with the whole result, where it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_blob: Option<Blob>,
    /// What else the agent left.
    pub artifacts: Vec<Held>,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AttemptStatus {
    /// A worker has it.
    Assigned,
    /// Its container and folder are being made ready.
    Preparing,
    /// Its agent runs.
    Running,
    /// It ended with a result.
    Succeeded,
    /// It ended without one.
    Failed,
    /// Its time limit passed.
    Timeout,
    /// Its container is gone.
    Lost,
    /// Another attempt, an amendment or a human took its place.
    Superseded,
    /// Its case was cancelled.
    Cancelled,
    /// A word of a later release.
    #[serde(other)]
    Unnamed,
}

/// One run of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptView {
    /// Its name.
    #[schema(example = "c-1.2")]
    pub id: String,
    /// Its number within the case.
    pub number: u32,
    /// The stage.
    pub stage: String,
    /// The worker.
    #[schema(example = "sre/k8s-root-cause")]
    pub worker: String,
    /// The worker's epoch.
    pub epoch: u64,
    /// The worker's node.
    #[schema(example = "n-1")]
    pub node: String,
    /// The version of the brief that it works on.
    pub brief_version: u32,
    /// How far it is, and how it ended.
    pub status: AttemptStatus,
    /// Why it has no result.
    pub reason: Option<String>,
    /// When it was assigned.
    pub assigned: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
}

/// The structured outcome of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// The outcome in a few sentences.
    pub summary: String,
    /// What caused the fault, where one was found.
    pub root_cause: Option<String>,
    /// What to do.
    pub recommendation: Option<String>,
    /// Who or what suffers.
    pub impact: Option<String>,
    /// The whole report; in `GET …/report` always, else where it is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub document: Option<serde_json::Value>,
    /// The whole report as Markdown; in `GET …/report` always, else where it is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markdown: Option<String>,
}

/// A line of a case's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryLine {
    /// The entry's place in the ledger.
    pub index: u64,
    /// When.
    pub at: Moment,
    /// Who asked for it.
    pub by: String,
    /// What happened, for programs: `opened`, `routed`, `planned`, `plan_refused`, `assigned`,
    /// `started`, `attempt_failed`, `superseded`, `done`, `answered`, `failed`, `skipped`,
    /// `approval_asked`, `approved`, `rejected`, `effect_intended`, `effect_ended`, `parked`,
    /// `effect_settled`, `paused`, `resumed`, `amended`, `cancelled`, `closed`.
    pub kind: String,
    /// The stage that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The attempt that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// What happened, for people.
    pub text: String,
}
