//! How nodes are broken on purpose: a persona of one, and whole runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Moment;

/// Crashes a persona of the node that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashPersona {
    /// `manager`, `janitor`, `butler TEAM` or `worker TEAM/NAME`.
    #[schema(example = "butler sre")]
    pub persona: String,
}

/// Holds the Manager dead on the node that is asked, or lets him live again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldManager {
    /// Whether he is held.
    pub is_held: bool,
}

/// Has the node that is asked take its clock for another time than it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetClock {
    /// For so many seconds later, less than nothing for earlier, 0 for as it is; a day at most.
    #[schema(minimum = -86400, maximum = 86400)]
    pub ahead_s: i32,
}

/// Begins a chaos run: its whole plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginChaos {
    /// What it is called.
    pub name: String,
    /// Its faults.
    pub steps: Vec<ChaosStep>,
    /// When it is over at the latest, from its start.
    pub limit_ms: u64,
}

/// A fault, where, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChaosStep {
    /// When it begins, from the run's start.
    pub at_ms: u64,
    /// How long it stays; 0 for a crash.
    pub for_ms: u64,
    /// What is done.
    pub fault: ChaosFault,
    /// Of a disk that is filled: what is left free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_bytes: Option<u64>,
    /// Where: `manager`, `butler TEAM`, `worker TEAM/NAME`, `node NAME` or `all`.
    #[schema(example = "manager")]
    pub on: String,
}

/// What is done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChaosFault {
    /// A persona on it panics.
    Crash,
    /// Its daemon is killed, and started again at the end.
    Kill,
    /// Its daemon is stopped where it is.
    Freeze,
    /// It is cut off from all others.
    Cut,
    /// Its engine is stopped where it is.
    Hang,
    /// Its disk is filled.
    Fill,
}

/// Ends the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndChaos {}

/// What can be broken on the node that is asked, and what is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChaosView {
    /// The node's number.
    pub node: String,
    /// Its name.
    pub name: String,
    /// Whether its settings allow it.
    pub is_allowed: bool,
    /// The faults that cannot be made there now, and why; only where its settings allow any.
    pub lacks: BTreeMap<ChaosFault, String>,
    /// The cluster's run; none where there is none.
    pub run: Option<ChaosRun>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChaosRun {
    /// The entry that began it.
    pub id: u64,
    /// The plan's name.
    pub plan: String,
    /// Who began it.
    pub by: String,
    /// Whether all of its nodes were armed, and its time runs.
    pub is_started: bool,
    /// Whether somebody has ended it.
    pub is_ending: bool,
    /// What is done, in words.
    pub steps: Vec<String>,
    /// The nodes that it concerns.
    pub parts: Vec<ChaosPart>,
    /// What was done so far.
    pub did: Vec<ChaosDid>,
}

/// How far a node is with its part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChaosPart {
    /// The node's number.
    pub node: String,
    /// Its name.
    pub name: String,
    /// How far.
    pub state: ChaosState,
    /// Why it does not do its part, where it does not.
    pub why: Option<String>,
}

/// How far a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChaosState {
    /// It was asked.
    Asked,
    /// Its faults are armed, and so is what takes them off.
    Armed,
    /// It does not do its part.
    Refused,
    /// All of its faults are off.
    Over,
}

/// What a node did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChaosDid {
    /// The node's number.
    pub node: String,
    /// Its name.
    pub name: String,
    /// Which step, from 0.
    pub step: u32,
    /// When the fault was made, by the node's clock.
    pub from: Moment,
    /// When it was off again.
    pub to: Moment,
    /// What went otherwise than planned; empty where nothing did.
    pub trouble: String,
}
