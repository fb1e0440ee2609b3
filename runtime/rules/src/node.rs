//! A node as the rules see it: what it said of itself, how it is, and who is on it.
//!
//! ```text
//! admitted ─► joined: up ◄─► suspect ─► down
//!                      ▲                  │
//!                      └──────────────────┘   judged up again, or its daemon started again
//! ```
//!
//! # Invariant
//! Butlers stand on nodes that are up and not drained, workers on none that is down.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{ClockMs, NodeId, TeamName, WorkerId};
use crate::target::WayOut;

/// What a node says of itself at each of its starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// Its number in the cluster.
    pub node: NodeId,
    /// Its name, for people.
    pub name: String,
    /// Which start of its daemon this is, from 1; a later one has a greater number.
    pub incarnation: u64,
    /// The release of its daemon.
    pub release: String,
    /// What runs its containers, in words: engine, version, confinement.
    pub engine: String,
    /// CPU that workers may take, in thousandths of a core.
    pub cpu_milli: u64,
    /// Memory that workers may take.
    pub memory_bytes: u64,
    /// What placement may ask for.
    pub labels: BTreeMap<String, String>,
    /// Where others find its links: host and port; none where it is alone.
    pub address: Option<String>,
    /// The newest version of the rules' behaviour that its release knows.
    pub knows: u32,
}

/// Whether a node votes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Role {
    /// The cluster decides.
    #[default]
    Auto,
    /// It shall, by a human's word.
    Voter,
    /// It never does, by a human's word.
    Learner,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Voter => "voter",
            Self::Learner => "learner",
        })
    }
}

/// How a node is, as the Manager judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Health {
    /// It is heard.
    Up,
    /// It is not heard; its agents may still have effects.
    Suspect,
    /// Its lease is over: its agents have no effects any more.
    Down,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Suspect => "suspect",
            Self::Down => "down",
        })
    }
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What it said last; its incarnation is 0 until it has joined.
    pub facts: NodeFacts,
    /// The fingerprint of the public key that it was admitted with; the first node has none.
    pub key: Option<[u8; 32]>,
    /// Whether it votes.
    pub role: Role,
    /// How it is.
    pub health: Health,
    /// Why it is thought to be so.
    pub health_because: String,
    /// Since when, by the ledger's clock.
    pub health_since: ClockMs,
    /// Why a human has it left by all that is on it, where one has.
    pub drained: Option<String>,
    /// CPU promised to the workers placed here, in thousandths of a core.
    pub cpu_promised_milli: u64,
    /// Memory promised to the workers placed here.
    pub memory_promised_bytes: u64,
    /// Workers placed here.
    pub workers: BTreeSet<WorkerId>,
    /// Teams whose butler is placed here.
    pub butlers: BTreeSet<TeamName>,
    /// How its agents reach targets, as it said last; none before it has.
    pub way_out: Option<WayOut>,
}

impl Node {
    /// A node that has a number and has not joined yet.
    pub(crate) fn admitted(
        node: NodeId,
        name: String,
        key: Option<[u8; 32]>,
        now: ClockMs,
    ) -> Self {
        Self {
            facts: NodeFacts {
                node,
                name,
                incarnation: 0,
                release: String::new(),
                engine: String::new(),
                cpu_milli: 0,
                memory_bytes: 0,
                labels: BTreeMap::new(),
                address: None,
                knows: 0,
            },
            key,
            role: Role::Auto,
            health: Health::Down,
            health_because: "it was admitted and has not joined yet".to_owned(),
            health_since: now,
            drained: None,
            cpu_promised_milli: 0,
            memory_promised_bytes: 0,
            workers: BTreeSet::new(),
            butlers: BTreeSet::new(),
            way_out: None,
        }
    }

    /// Whether its daemon was ever heard.
    pub fn has_joined(&self) -> bool {
        self.facts.incarnation > 0
    }

    /// Whether a human has it left by all that is on it.
    pub fn is_drained(&self) -> bool {
        self.drained.is_some()
    }

    /// Whether anything new may be put on it: a butler, a worker, an attempt.
    pub fn takes_new(&self) -> bool {
        self.health == Health::Up && !self.is_drained()
    }

    /// Whether it could vote: it has joined, and nobody forbids it.
    pub fn may_vote(&self) -> bool {
        self.has_joined() && self.role != Role::Learner
    }

    /// Takes on what is thought of it; what is thought already stands as it is.
    pub(crate) fn set_health(&mut self, health: Health, because: &str, now: ClockMs) {
        if self.health != health {
            self.health = health;
            because.clone_into(&mut self.health_because);
            self.health_since = now;
        }
    }
}
