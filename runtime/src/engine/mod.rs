//! Engines: what runs the boxes that agents live in, `docker` or `process`.
//!
//! ```text
//!            ensure        stop           remove
//!   absent ─────────► running ─────► stopped ─────► absent
//!              ▲  (adopted when it is there)  │
//!              └──────────── ensure ──────────┘
//! ```
//!
//! A box is one worker epoch's container, or process sandbox; its init is `domo` itself, which the
//! daemon talks to through the [`spool`](crate::spool) only.
//!
//! # Invariant
//!
//! Each verb may be repeated, and given up in the middle: what counts is what the engine has, never
//! what this process remembers. [`Engine::list`] names only boxes of this node of this cluster.
//!
//! # Why
//!
//! A trait with boxed futures and not an enum, so that a test can stand in for an engine.

mod boxfiles;
mod bubblewrap;
mod cgroup;
mod containers;
mod docker;
mod found;
mod freezer;
mod home;
mod labels;
mod open;
mod process;
mod profile;
mod seccomp;
mod still;
mod turns;
mod verbs;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::broadcast;

use crate::clock::Deadline;
use crate::init::ALONGSIDE_LIMIT;
use crate::spool::{AttemptName, Spool, SpoolError};

pub use open::{EngineChoice, EngineSettings, Opened, open};

/// Whether agents run as this user where the daemon is root: no human may be known by it.
pub fn is_agents_user(uid: u32) -> bool {
    let boxes = crate::init::BOX_UIDS_FROM..crate::init::BOX_UIDS_FROM + crate::init::BOX_UIDS;
    uid == containers::INNER.uid || boxes.contains(&uid)
}

/// Events that a slow receiver may be behind before it is told to look for itself.
pub const EVENTS_LIMIT: usize = 256;

/// Which box: one worker epoch on one node of one cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BoxId {
    /// The cluster's unique id: two clusters of one name may share an engine.
    pub cluster: String,
    /// The node.
    pub node: u64,
    /// The team.
    pub team: String,
    /// The worker, or the butler's own slot.
    pub worker: String,
    /// The worker's epoch.
    pub epoch: u64,
}

impl fmt::Display for BoxId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{} epoch {}", self.team, self.worker, self.epoch)
    }
}

/// What the box's root is made of; the process engine shows the host's programs instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Image {
    /// Nothing: an empty image, made once through the engine.
    #[default]
    Scratch,
    /// An image that the engine already has, by name or id; nothing is ever pulled.
    Named(String),
}

/// What all programs of a box together may use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BoxLimits {
    /// Memory, swap included.
    pub memory_bytes: u64,
    /// Processor time, in thousandths of one core.
    pub cpu_millis: u64,
    /// Processes and threads.
    pub processes: u64,
    /// `/tmp`, and as much again for shared memory; counts as memory too.
    pub tmp_bytes: u64,
    /// Open files of one process.
    pub open_files: u64,
    /// Largest single file.
    pub file_bytes: u64,
    /// Attempts at once: what init needs for each is beside `processes`.
    pub attempts: u64,
}

impl BoxLimits {
    /// Processes of the box's own machinery: init, its last step before an agent, a sandbox.
    pub(crate) fn own_processes(&self) -> u64 {
        /// Enough for one attempt, with some to spare for what is just ending.
        const OF_ONE: u64 = 8;
        OF_ONE + self.attendants()
    }

    /// Processes that attempts beside the first need: an attendant, its last step, and what carries
    /// to the gateway.
    pub(crate) fn attendants(&self) -> u64 {
        self.attempts
            .clamp(1, ALONGSIDE_LIMIT as u64)
            .saturating_sub(1)
            * 3
    }
}

impl Default for BoxLimits {
    fn default() -> BoxLimits {
        BoxLimits {
            memory_bytes: 1 << 30,
            cpu_millis: 1_000,
            processes: 256,
            tmp_bytes: 256 << 20,
            open_files: 1_024,
            file_bytes: 256 << 20,
            attempts: 1,
        }
    }
}

/// What a box should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoxSpec {
    /// Which box.
    pub id: BoxId,
    /// What its root is made of.
    pub image: Image,
    /// What it may use.
    pub limits: BoxLimits,
    /// Host folders and files with the agent's program, shown read-only under the same path.
    pub programs: Vec<PathBuf>,
}

/// Is there a running init in the box?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Yes.
    Running,
    /// No: asleep, or ended by itself. Its spool is there.
    Stopped,
}

/// What [`Engine::ensure`] found to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ensured {
    /// It was absent.
    Created,
    /// It was stopped.
    Started,
    /// It was running.
    Adopted,
}

/// A box that runs.
#[derive(Clone, Debug)]
pub struct BoxState {
    /// What had to be done for it.
    pub ensured: Ensured,
    /// Whether the engine says that it had ended for want of memory; some cannot know.
    pub was_out_of_memory: bool,
    /// How to speak with its init.
    pub spool: Spool,
}

impl BoxState {
    /// One of which nothing is known but that it runs.
    fn new(ensured: Ensured, spool: Spool) -> BoxState {
        BoxState {
            ensured,
            was_out_of_memory: false,
            spool,
        }
    }
}

/// A box that the engine has.
#[derive(Clone, Debug)]
pub struct FoundBox {
    /// Which one.
    pub id: BoxId,
    /// Does it run?
    pub phase: Phase,
    /// How to speak with its init, or read what it left.
    pub spool: Spool,
}

/// What came of freezing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrozenBoxes {
    /// Boxes in which everything stands still.
    pub halted: Vec<BoxId>,
    /// Boxes in which something goes on, and why.
    pub going_on: Vec<(BoxId, String)>,
}

/// News from the engine: hints, after which [`Engine::list`] has the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoxEvent {
    /// The box's init has ended.
    Ended {
        /// Which box.
        id: BoxId,
        /// Did the kernel kill something in it for memory?
        oom: bool,
    },
    /// The engine cannot be reached.
    Lost,
    /// The engine can be reached again; what happened in between is not known.
    Regained,
}

/// What keeps an agent away from the daemon and the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confinement {
    /// A container of a container engine.
    Container,
    /// bubblewrap: own user, mount, process, network, IPC and host-name namespace.
    Bubblewrap,
    /// A user id of its own, nothing more: it sees the host's files and network.
    OwnUid,
    /// Nothing: the agent is the daemon's own user.
    Nothing,
}

impl fmt::Display for Confinement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Confinement::Container => "container",
            Confinement::Bubblewrap => "bubblewrap",
            Confinement::OwnUid => "own uid",
            Confinement::Nothing => "unconfined",
        })
    }
}

/// What an engine is, for the start message and the status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// `docker` or `process`.
    pub engine: String,
    /// The version of what runs below.
    pub version: String,
    /// What confines the agents.
    pub confinement: Confinement,
    /// Limits that have no effect here, each a sentence.
    pub weaknesses: Vec<String>,
}

impl fmt::Display for Description {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} ({}), agents confined by: {}",
            self.engine, self.version, self.confinement
        )?;
        self.weaknesses
            .iter()
            .try_for_each(|weakness| write!(out, "; {weakness}"))
    }
}

/// What stands between a wish and its box, named after what to do.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The engine does not answer: try again later, its state is unknown.
    #[error("the {engine} engine does not answer: {why}")]
    Unreachable {
        /// Which engine.
        engine: &'static str,
        /// What was tried.
        why: String,
    },
    /// The engine answered, and failed: try again a few times, then tell a human.
    #[error("the {engine} engine failed to {verb} {subject}: {why}")]
    Failing {
        /// Which engine.
        engine: &'static str,
        /// What it was to do.
        verb: &'static str,
        /// With what.
        subject: String,
        /// Its words.
        why: String,
    },
    /// It will never work like this: tell the human what to change.
    #[error("{why}: {cure}")]
    Refused {
        /// What is wrong.
        why: String,
        /// What to do about it.
        cure: String,
    },
    /// The box's folder cannot be used.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl EngineError {
    /// Is it worth trying again without any change by a human?
    pub fn is_passing(&self) -> bool {
        match self {
            EngineError::Unreachable { .. } | EngineError::Failing { .. } => true,
            EngineError::Spool(source) => matches!(source, SpoolError::NoRoom { .. }),
            EngineError::Refused { .. } => false,
        }
    }
}

/// What runs boxes. Every call may be repeated and has a deadline of its own.
pub trait Engine: Send + Sync + fmt::Debug {
    /// Asks the engine what it is.
    fn probe(&self) -> BoxFuture<'_, Result<Description, EngineError>>;

    /// Makes the box run: creates and starts it, starts it, or adopts it.
    fn ensure<'a>(&'a self, spec: &'a BoxSpec) -> BoxFuture<'a, Result<BoxState, EngineError>>;

    /// Lets the box sleep: its init ends politely, after `grace` by force. Its spool stays.
    /// A box that is not there or does not run already sleeps; a frozen one is killed at once.
    fn stop<'a>(&'a self, id: &'a BoxId, grace: Duration)
    -> BoxFuture<'a, Result<(), EngineError>>;

    /// Kills what runs in the box and removes it with its spool. An absent box is removed.
    fn remove<'a>(&'a self, id: &'a BoxId) -> BoxFuture<'a, Result<(), EngineError>>;

    /// One box, when the engine has it, running or not.
    fn find<'a>(&'a self, id: &'a BoxId) -> BoxFuture<'a, Result<Option<FoundBox>, EngineError>>;

    /// All boxes of this node of this cluster, running or not. Costs what all of them cost.
    fn list(&self) -> BoxFuture<'_, Result<Vec<FoundBox>, EngineError>>;

    /// Has everything in all running boxes stand still, at the kernel and without asking a container
    /// engine; waits until it does, at most `until`. Boxes that are frozen stay so.
    fn freeze_all(&self, until: Deadline) -> BoxFuture<'_, Result<FrozenBoxes, EngineError>>;

    /// Lets a frozen box go on, but for these of the attempts that run in it side by side: they are
    /// killed where they stand. Any other box goes on as it is.
    fn thaw<'a>(
        &'a self,
        id: &'a BoxId,
        but: &'a [AttemptName],
    ) -> BoxFuture<'a, Result<(), EngineError>>;

    /// The boxes that are frozen; no container engine is asked.
    fn frozen(&self) -> BoxFuture<'_, Result<Vec<FoundBox>, EngineError>>;

    /// News from now on. Whoever falls [`EVENTS_LIMIT`] behind is told so and lists.
    fn events(&self) -> broadcast::Receiver<BoxEvent>;
}
