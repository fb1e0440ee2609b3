//! Where attempts are carried out: a worker hands a job in and learns how it ended.
//!
//! ```text
//! worker ─► Job ─► box (engine) ─► spool (brief, SOUL, skills, attachments) ─► agent
//!        ◄─ Ended ◄── kernel reads ◄── exit and what the agent left ◄─────────┘
//! ```
//!
//! # Invariant
//! Every verb may be repeated and may be dropped in the middle: what was begun is found again.
//!
//! # Why
//! The worker decides what ought to run; how it is run is no matter of a persona's. A benchmark
//! measures the personas and the ledger with a workshop of its own.

pub mod boxes;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use rules::attempt::{Body, StageResult};
use rules::id::{AttemptId, Epoch, WorkerId};
use rules::team::AgentSpec;
use thiserror::Error;

use crate::clock::{Deadline, WallMs};

/// What a verb of the workshop comes to.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, WorkshopError>> + Send + 'a>>;

/// The container of one worker epoch, as the workshop knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bench {
    /// The worker.
    pub worker: WorkerId,
    /// Its epoch.
    pub epoch: Epoch,
}

/// One attempt to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Whose container it runs in.
    pub bench: Bench,
    /// Which attempt it is.
    pub attempt: AttemptId,
    /// The agent.
    pub agent: AgentSpec,
    /// The stage's time limit in milliseconds; the ledger's clock decides, this only bounds a
    /// node that hears nothing of it.
    pub limit_ms: u64,
    /// How many attempts the container carries out at once, at most.
    pub parallel: u32,
    /// What the agent is given, by path in its input folder.
    pub inputs: Vec<Input>,
}

/// A file for an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Relative, with `/` between its parts.
    pub path: String,
    /// Its bytes.
    pub body: Body,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With a result.
    Succeeded(StageResult),
    /// Without one, for this reason.
    Failed(String),
    /// Its container went with it, in this way.
    Lost(String),
}

/// Something that is said to a running attempt's agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its number: the same is told once.
    pub number: u64,
    /// What.
    pub text: String,
}

/// What an agent has said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Line by line.
    pub lines: Vec<String>,
    /// Where to listen on.
    pub next: u64,
}

/// What came of freezing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frozen {
    /// Containers that stand still now.
    pub halted: usize,
    /// Containers that go on, each with the reason.
    pub going_on: Vec<String>,
}

/// What an ended attempt has left here: its agent's folders and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Whose container it ran in.
    pub bench: Bench,
    /// Which attempt.
    pub attempt: AttemptId,
    /// What it takes on the disk.
    pub bytes: u64,
    /// When it was ordered, by this node's wall clock.
    pub ordered: WallMs,
}

/// What stands in the way, named after what to do.
#[derive(Debug, Error)]
pub enum WorkshopError {
    /// The engine or the disk does not answer now: try again later.
    #[error("{0}")]
    Later(String),
    /// It will never work like this: a human must change something.
    #[error("{0}")]
    Never(String),
}

/// Carries attempts out in the containers of this node.
pub trait Workshop: Send + Sync {
    /// Carries an attempt out, or finds it again, and waits for its end. `started` is called once
    /// its agent runs.
    fn run<'a>(&'a self, job: &'a Job, started: &'a (dyn Fn() + Send + Sync)) -> Doing<'a, Ended>;

    /// Ends an attempt if it runs, with a grace, and removes what it left.
    fn end<'a>(&'a self, bench: &'a Bench, attempt: AttemptId) -> Doing<'a, ()>;

    /// Lets the agent of an attempt read what is said to it; once more is harmless. An attempt that
    /// is not there to read yet is told later.
    fn tell<'a>(&'a self, bench: &'a Bench, attempt: AttemptId, told: &'a [Told]) -> Doing<'a, ()> {
        let _ = (bench, attempt, told);
        Box::pin(async { Ok(()) })
    }

    /// What the agent of an attempt has said behind that place, perhaps nothing.
    fn said<'a>(&'a self, bench: &'a Bench, attempt: AttemptId, from: u64) -> Doing<'a, Said> {
        let _ = (bench, attempt);
        Box::pin(async move {
            Ok(Said {
                lines: Vec::new(),
                next: from,
            })
        })
    }

    /// Attempts of this container that have anything left here.
    fn attempts<'a>(&'a self, bench: &'a Bench) -> Doing<'a, BTreeSet<AttemptId>>;

    /// Stops the container until it is needed again.
    fn rest<'a>(&'a self, bench: &'a Bench) -> Doing<'a, ()>;

    /// All containers of this node.
    fn benches(&self) -> Doing<'_, Vec<Bench>>;

    /// Removes a container and all that is in it; what is frozen is killed first, not thawed.
    fn clear<'a>(&'a self, bench: &'a Bench) -> Doing<'a, ()>;

    /// What ended attempts have left here.
    fn left(&self) -> Doing<'_, Vec<Left>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Removes what an ended attempt has left; one that has not ended stays.
    fn discard<'a>(&'a self, bench: &'a Bench, attempt: AttemptId) -> Doing<'a, ()> {
        let _ = (bench, attempt);
        Box::pin(async { Ok(()) })
    }

    /// Has everything in all containers stand still, whatever their engine does; once more is
    /// harmless. Where nothing runs in containers there is nothing to freeze.
    fn freeze(&self, until: Deadline) -> Doing<'_, Frozen> {
        let _ = until;
        Box::pin(async { Ok(Frozen::default()) })
    }

    /// The containers that stand still.
    fn frozen(&self) -> Doing<'_, Vec<Bench>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Lets a frozen container go on with these attempts; if another one runs in it, that is killed
    /// where it stands.
    fn thaw<'a>(&'a self, bench: &'a Bench, wanted: &'a BTreeSet<AttemptId>) -> Doing<'a, ()> {
        let _ = (bench, wanted);
        Box::pin(async { Ok(()) })
    }
}
