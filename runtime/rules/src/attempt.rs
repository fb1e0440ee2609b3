//! An attempt: one run of a stage by one worker on one node; never moved, never restarted.
//!
//! # Invariant
//! The status only moves forward.

use serde::{Deserialize, Serialize};

use crate::id::{BlobRef, ClockMs, Epoch, NodeId, StageName, WorkerId};
use crate::room::Message;

/// A text that is in the ledger when it is short and a blob when it is long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// At most [`crate::limits::MAX_INLINE_BYTES`].
    Inline(String),
    /// Anything longer.
    Blob(BlobRef),
}

impl Body {
    /// Whether it keeps to its limit.
    pub(crate) fn fits(&self) -> bool {
        match self {
            Self::Inline(text) => text.len() <= crate::limits::MAX_INLINE_BYTES,
            Self::Blob(_) => true,
        }
    }
}

/// A file that an agent left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its path among the artifacts.
    pub name: String,
    /// Its bytes.
    pub blob: BlobRef,
}

/// The result of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageResult {
    /// What was found, in a few sentences.
    pub summary: String,
    /// The whole result, as the JSON of the contract with the agent.
    pub document: Body,
    /// What else the agent left.
    pub artifacts: Vec<Artifact>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptOutcome {
    /// With a result.
    Succeeded(StageResult),
    /// Without one.
    Failed {
        /// Why: exit code, signal, memory, output, bad result.
        reason: String,
    },
    /// Its time limit passed.
    TimedOut {
        /// The limit.
        limit_ms: u64,
    },
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AttemptStatus {
    /// A worker has it.
    Assigned,
    /// Its container and folder are being made ready.
    Preparing,
    /// Its agent runs.
    Running,
    /// It ended by itself or by its time limit.
    Finished,
    /// Its container is gone.
    Lost,
    /// Another attempt, an amendment or a human took its place.
    Superseded,
    /// Its case was cancelled.
    Cancelled,
}

impl AttemptStatus {
    /// Whether its agent may still run.
    pub fn is_live(self) -> bool {
        self <= Self::Running
    }
}

/// How far a worker is with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Progress {
    /// Its container and folder are being made ready.
    Preparing,
    /// Its agent runs.
    Running,
}

/// One run of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The stage.
    pub stage: StageName,
    /// The worker.
    pub worker: WorkerId,
    /// The worker's epoch.
    pub epoch: Epoch,
    /// The worker's node.
    pub node: NodeId,
    /// The version of the brief that it works on, from 1.
    pub brief_version: u32,
    /// How far it is.
    pub status: AttemptStatus,
    /// How long it may take: the smaller one of its stage's limit and its agent's.
    pub limit_ms: u64,
    /// When its time is up, by the ledger's clock.
    pub deadline: ClockMs,
    /// When it was assigned, for people to read.
    pub assigned_wall_ms: u64,
    /// When it ended, for people to read.
    pub ended_wall_ms: Option<u64>,
    /// How it ended, where it finished.
    pub outcome: Option<AttemptOutcome>,
    /// What it was told while it runs; gone with its end, the posts have it.
    pub messages: Vec<Message>,
}
