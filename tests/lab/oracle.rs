//! The oracle: knows what clients were promised, and everything that can be held against it.
//!
//! ```text
//! clients ── calls: acknowledged, refused, unknown ──┐
//! watchers ── sightings of every node ───────────────┼─► Evidence ─► truths
//! the end ── every case as every node shows it ──────┘
//! ```
//!
//! # Invariant
//! A call is refused only when every try of it was: after one try whose end nobody knows, it may
//! have happened, whatever the later tries were told.

mod client;
mod watch;

use std::collections::BTreeMap;

use serde_json::Value;

pub use client::{Client, Orders};
pub use watch::Watch;

use crate::target::Reached;

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A case to be done by this team; its title is the request's id.
    Submit(String),
    /// That case to be ended.
    Cancel(String),
    /// To know how that case is.
    Read(String),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is so: the promise.
    Acknowledged(Said),
    /// It was not done and will not be, with the reason.
    Refused(String),
    /// Nobody knows.
    Unknown,
}

/// What an acknowledgement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The case has this number.
    Opened(String),
    /// The case is ended.
    Ended,
    /// It was over before.
    TooLate,
    /// The case is so.
    Seen(Seen),
    /// There is no such case.
    Absent,
}

/// How a case was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The case's generation.
    pub generation: u64,
    /// How far it is within it: the place of its status in the order of all.
    pub rank: usize,
    /// How it ends, once that is sure.
    pub ending: Option<String>,
}

/// One thing that a client wanted, tries and all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Names the wish: every try has the same.
    pub request: String,
    /// What was wanted.
    pub wish: Wish,
    /// When it was wanted, on the boot clock.
    pub begun_ms: u64,
    /// When the try was begun that told the outcome.
    pub tried_ms: u64,
    /// When the outcome was known.
    pub ended_ms: u64,
    /// What came of it.
    pub outcome: Outcome,
}

/// A node's status at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The node that was asked.
    pub node: usize,
    /// Its id.
    pub id: String,
    /// Which start of its daemon it was.
    pub started: String,
    /// Who leads, as it thinks.
    pub leader: Option<String>,
    /// In which term.
    pub term: u64,
    /// The last entry that its state holds.
    pub applied: u64,
}

/// Everything that is held against the promises.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What clients wanted and were told.
    pub calls: Vec<Call>,
    /// How the nodes were meanwhile.
    pub sightings: Vec<Sighting>,
    /// In the end: of each node, every case as it shows it.
    pub cases: Vec<BTreeMap<String, Value>>,
    /// What reached the target behind the gateways, as it wrote it down before it answered.
    pub reached: Vec<Reached>,
    /// In the end: what of the agents' boxes was still there, by node.
    pub left: Vec<String>,
    /// In the end: what had not converged when the time for it was over.
    pub unsettled: Vec<String>,
}

/// The statuses of a case in their order.
const ORDER: [&str; 6] = [
    "open",
    "planned",
    "running",
    "waiting",
    "reporting",
    "closed",
];

impl Seen {
    /// How a case is, out of what a node shows of it.
    pub fn of(case: &Value) -> Option<Seen> {
        let status = case["status"].as_str()?;
        let ending = case["ending"].as_str().or(case["outcome"].as_str());
        Some(Seen {
            generation: case["generation"].as_u64()?,
            rank: ORDER.iter().position(|known| *known == status)?,
            ending: ending.map(str::to_owned),
        })
    }
}

impl Call {
    /// The case that it opened, is about, or neither.
    pub fn case(&self) -> Option<&str> {
        match (&self.wish, &self.outcome) {
            (Wish::Cancel(case) | Wish::Read(case), _)
            | (Wish::Submit(_), Outcome::Acknowledged(Said::Opened(case))) => Some(case),
            (Wish::Submit(_), _) => None,
        }
    }

    /// Whether it was answered with a promise.
    pub fn is_acknowledged(&self) -> bool {
        matches!(self.outcome, Outcome::Acknowledged(_))
    }
}

impl Evidence {
    /// Every case that any node shows, as the first that does shows it.
    pub fn all_cases(&self) -> BTreeMap<&str, &Value> {
        let mut all = BTreeMap::new();
        for (id, case) in self.cases.iter().flatten() {
            all.entry(id.as_str()).or_insert(case);
        }
        all
    }

    /// How long after `since_ms` something was first newly acknowledged.
    pub fn silence_after(&self, since_ms: u64) -> Option<u64> {
        let calls = self.calls.iter();
        let submits = calls.filter(|call| matches!(call.wish, Wish::Submit(_)));
        let later = submits.filter(|call| call.is_acknowledged() && call.tried_ms >= since_ms);
        later.map(|call| call.ended_ms - since_ms).min()
    }
}
