//! What clients and personas were promised, and how the nodes were seen meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rules::case::Case;
use rules::id::{CaseId, NodeId};
use rules::{Command, Verdict};

use super::clockwork::locked;

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The ledger's verdict.
    Told(Verdict),
    /// It was not done, and will not be.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// One wish, all its tries included.
#[derive(Clone, Debug)]
pub struct Call {
    /// The id that every try had; none for one that had no id, and one try.
    pub request: Option<String>,
    pub command: Command,
    pub begun_ms: u64,
    pub ended_ms: u64,
    pub ends: Vec<End>,
}

/// What a linearizable read saw.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    pub begun_ms: u64,
    pub ended_ms: u64,
    pub index: u64,
    pub next_case: CaseId,
    pub closed: u64,
}

/// How a node was seen, without asking anybody else.
#[derive(Clone, Copy, Debug)]
pub struct Sighting {
    pub node: NodeId,
    pub start: u64,
    pub at_ms: u64,
    pub index: u64,
    pub count: u64,
    pub head: [u8; 32],
}

/// Everything that is held against the promises.
#[derive(Default)]
pub struct Evidence {
    pub calls: Vec<Call>,
    pub reads: Vec<Read>,
    pub sightings: Vec<Sighting>,
    /// Who led in which term, as they said themselves.
    pub leaders: BTreeMap<u64, Vec<NodeId>>,
    /// When somebody was first seen leading in a term, and when a quorum last followed there.
    pub reigns: BTreeMap<u64, (Duration, Duration)>,
    /// What no fault explains: a ledger that breaks or does not open.
    pub wrong: Vec<String>,
    /// In the end.
    pub finals: Vec<Final>,
    /// What had not come to rest in the end.
    pub restless: Vec<String>,
}

/// A node in the end.
pub struct Final {
    pub node: NodeId,
    pub index: u64,
    pub state: Vec<u8>,
    pub titles: BTreeMap<String, Vec<CaseId>>,
    pub cases: Vec<Case>,
    pub archived: u64,
    pub closed: u64,
    pub record: Vec<String>,
}

/// Where everybody writes down what they were told.
#[derive(Clone, Default)]
pub struct Oracle(Arc<Mutex<Evidence>>);

impl Oracle {
    pub fn with<R>(&self, what: impl FnOnce(&mut Evidence) -> R) -> R {
        what(&mut locked(&self.0))
    }

    pub fn call(&self, call: Call) {
        self.with(|evidence| evidence.calls.push(call));
    }

    pub fn wrong(&self, what: String) {
        self.with(|evidence| evidence.wrong.push(what));
    }

    /// A quorum followed the leader of a term at that moment.
    pub fn reigned(&self, term: u64, at: Duration) {
        self.with(|evidence| {
            let (_, last) = evidence.reigns.entry(term).or_insert((at, at));
            *last = at.max(*last);
        });
    }

    /// A node is there again, and knows of that term.
    pub fn starts(&self, node: NodeId, knows: u64) {
        self.with(|evidence| {
            let led = evidence.leaders.iter().rev();
            let mut led = led.filter(|(_, nodes)| nodes.contains(&node));
            if let Some((term, _)) = led.next()
                && *term > knows
            {
                let wrong = format!("{node} led in term {term} and knows of {knows} only");
                evidence.wrong.push(wrong);
            }
        });
    }

    pub fn leads(&self, node: NodeId, term: u64, now: Duration) {
        self.with(|evidence| {
            let (first, _) = evidence.reigns.entry(term).or_insert((now, Duration::ZERO));
            *first = now.min(*first);
            let leaders = evidence.leaders.entry(term).or_default();
            if !leaders.contains(&node) {
                leaders.push(node);
            }
        });
    }
}

impl Call {
    /// The verdicts that it was given.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.ends.iter().filter_map(|end| match end {
            End::Told(verdict) => Some(verdict),
            End::Refused | End::Unknown => None,
        })
    }
}
