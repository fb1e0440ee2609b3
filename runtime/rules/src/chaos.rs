//! A chaos run: what is broken on purpose, on which nodes and when, and how far each of them is.
//!
//! ```text
//! begun: every node that it concerns is asked ─► all armed: the run's clock starts ─► over: ended by
//!                     └─► one refuses, or nothing comes in time: it never starts       hand or by time
//! ```
//!
//! # Invariant
//! There is one run at a time, whole in the state before its first fault, and it ends by the ledger's
//! clock where nobody ends it.
//!
//! # Why
//! A fault may make the ledger unable to record, so nothing of a run is decided while it goes on: its
//! schedule is fixed when it begins, and each node carries its part out by itself. The run stands in
//! the alarm that ends it, so the state has the form that it had before there were any, and a node
//! can be put back to the release before.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{ClockMs, NodeId, TeamName, WorkerId, check_word};
use crate::limits;
use crate::node::{Health, Node};
use crate::state::{Alarm, State};
use crate::verdict::Rejection;

/// What is done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Fault {
    /// A persona on it panics.
    Crash,
    /// Its daemon is killed, and started again at the end.
    Kill,
    /// Its daemon is stopped where it is, and goes on at the end.
    Freeze,
    /// No other node reaches it, and it reaches none.
    Cut,
    /// Its engine is stopped where it is.
    Hang,
    /// Its disk is filled up.
    Fill {
        /// What is left free.
        left_bytes: u64,
    },
}

/// Which nodes a step is about; all but the last two are known only when it begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum On {
    /// Where the Manager is.
    Manager,
    /// Where a team's butler is.
    Butler(TeamName),
    /// Where a worker is.
    Worker(WorkerId),
    /// That node.
    Node(NodeId),
    /// Every node of the run.
    All,
}

/// One step: a fault, where, and when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Step {
    /// When it begins, from the run's start.
    pub at_ms: u64,
    /// How long the fault stays; nothing for a crash.
    pub for_ms: u64,
    /// What.
    pub fault: Fault,
    /// Where.
    pub on: On,
}

/// What shall be done.
#[derive(Default, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Plan {
    /// What it is called.
    pub name: String,
    /// Its steps.
    pub steps: Vec<Step>,
    /// When it is over at the latest, from the run's start: every fault is off then.
    pub limit_ms: u64,
}

/// How far a node is with its part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Part {
    /// It was asked.
    Asked,
    /// Its faults are armed, and so is what takes them off.
    Armed,
    /// It does not do its part, for this reason.
    Refused(String),
    /// It has done its part, and all faults are off.
    Over,
}

/// What a node did for a step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Did {
    /// Which step, from 0.
    pub step: u32,
    /// When the fault was made, by the node's wall clock.
    pub from_wall_ms: u64,
    /// When it was off again.
    pub to_wall_ms: u64,
    /// What went otherwise; empty where nothing did.
    pub trouble: String,
}

/// What a node tells of its part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum News {
    /// How far it is.
    Part(Part),
    /// What it did.
    Did(Did),
}

/// What is asked about a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// A human begins one: what is broken on purpose, and when.
    Begin(Plan),
    /// A node says how far it is with its part, and what it did.
    Tell {
        /// The node.
        node: NodeId,
        /// The run, by the entry that began it.
        run: u64,
        /// What it says.
        news: News,
    },
    /// A human ends one.
    End {
        /// Which one, by the entry that began it.
        run: u64,
    },
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Run {
    /// The entry that began it.
    pub id: u64,
    /// Who began it.
    pub by: String,
    /// What shall be done.
    pub plan: Plan,
    /// When the last node was armed; none before that.
    pub started: Option<ClockMs>,
    /// Whether a human ended it: its nodes take off what they have put on.
    pub is_ending: bool,
    /// The nodes that it concerns, and how far each of them is.
    pub parts: BTreeMap<NodeId, Part>,
    /// What was done so far.
    pub did: Vec<(NodeId, Did)>,
}

impl Run {
    /// The run that there is.
    pub fn of(state: &State) -> Option<&Self> {
        state.alarms.iter().find_map(|(_, alarm)| match alarm {
            Alarm::Chaos(run) => Some(run.as_ref()),
            Alarm::Deadline(_)
            | Alarm::Idle(_)
            | Alarm::Token(_)
            | Alarm::HumanToken(..)
            | Alarm::Roster(_) => None,
        })
    }

    /// Takes it out of the state, with the time at which it would have ended.
    pub(crate) fn take(state: &mut State) -> Option<(ClockMs, Self)> {
        let found = state.alarms.iter();
        let mut found = found.filter(|(_, alarm)| matches!(alarm, Alarm::Chaos(_)));
        let found = found.next().cloned()?;
        state.alarms.remove(&found);
        match found {
            (until, Alarm::Chaos(run)) => Some((until, *run)),
            (
                _,
                Alarm::Deadline(_)
                | Alarm::Idle(_)
                | Alarm::Token(_)
                | Alarm::HumanToken(..)
                | Alarm::Roster(_),
            ) => None,
        }
    }

    /// Puts it into the state, to end then.
    pub(crate) fn put(self, state: &mut State, until: ClockMs) {
        state.alarms.insert((until, Alarm::Chaos(Box::new(self))));
    }

    /// Whether a node still has faults to make or to take off.
    pub fn is_under_way(&self) -> bool {
        self.started.is_some() && self.parts.values().any(|part| *part == Part::Armed)
    }
}

/// What is wrong with a plan in itself.
pub(crate) fn wrong_with(plan: &Plan) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Err(bad) = check_word(&plan.name) {
        wrong.push(bad.to_string());
    }
    if plan.steps.is_empty() || plan.steps.len() > limits::MAX_CHAOS_STEPS {
        wrong.push(format!("a plan has 1 to {} steps", limits::MAX_CHAOS_STEPS));
    }
    if plan.limit_ms > limits::MAX_CHAOS_MS {
        let most_s = limits::MAX_CHAOS_MS / 1000;
        wrong.push(format!("a run is over after {most_s} s at the latest"));
    }
    for (at, step) in plan.steps.iter().enumerate() {
        let is_late = step.at_ms.checked_add(step.for_ms);
        if is_late.is_none_or(|end_ms| end_ms > plan.limit_ms) {
            wrong.push(format!("step {} ends after the run", at + 1));
        }
        if step.fault == Fault::Crash && matches!(step.on, On::Node(_) | On::All) {
            wrong.push(format!("step {} crashes no persona", at + 1));
        }
    }
    wrong
}

/// The nodes that a plan concerns.
pub(crate) fn concerned(state: &State, plan: &Plan) -> Result<BTreeMap<NodeId, Part>, Rejection> {
    let mut nodes = BTreeMap::new();
    for step in &plan.steps {
        if let On::Node(id) = step.on {
            let is_known = state.nodes.get(&id).is_some_and(Node::has_joined);
            if !is_known {
                return Err(Rejection::NoNode(id));
            }
            nodes.insert(id, Part::Asked);
        } else {
            let joined = state.nodes.iter().filter(|(_, node)| node.has_joined());
            nodes.extend(joined.map(|(id, _)| (*id, Part::Asked)));
        }
    }
    for id in nodes.keys() {
        let health = state.nodes.get(id).map(|node| node.health);
        if let Some(health @ (Health::Suspect | Health::Down)) = health {
            return Err(Rejection::WrongState {
                what: format!("node {id}, which the plan concerns,"),
                is: health.to_string(),
            });
        }
    }
    Ok(nodes)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash => f.write_str("crash"),
            Self::Kill => f.write_str("kill"),
            Self::Freeze => f.write_str("freeze"),
            Self::Cut => f.write_str("cut off"),
            Self::Hang => f.write_str("hang the engine of"),
            Self::Fill { left_bytes } => {
                write!(f, "fill the disk up to {} MiB of", left_bytes >> 20)
            }
        }
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manager => f.write_str("the Manager"),
            Self::Butler(team) => write!(f, "the butler of {team}"),
            Self::Worker(worker) => write!(f, "worker {worker}"),
            Self::Node(node) => write!(f, "{node}"),
            Self::All => f.write_str("all nodes"),
        }
    }
}

impl fmt::Display for Step {
    /// `kill the Manager's node from 5000 ms for 4000 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at_ms,
            for_ms,
            fault,
            on,
        } = self;
        match (fault, on) {
            (Fault::Crash, on) => write!(f, "{fault} {on} at {at_ms} ms"),
            (_, On::Node(_) | On::All) => write!(f, "{fault} {on} from {at_ms} ms for {for_ms} ms"),
            (_, On::Manager | On::Butler(_) | On::Worker(_)) => {
                write!(
                    f,
                    "{fault} the node of {on} from {at_ms} ms for {for_ms} ms"
                )
            }
        }
    }
}

impl fmt::Display for Wish {
    /// What the record tells of it: all of the plan, and nothing that somebody wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin(plan) => {
                f.write_str("begins a chaos run: ")?;
                for (at, step) in plan.steps.iter().enumerate() {
                    let gap = if at == 0 { "" } else { "; " };
                    write!(f, "{gap}{step}")?;
                }
                Ok(())
            }
            Self::Tell { run, news, .. } => write!(f, "of chaos run {run}: {news}"),
            Self::End { run } => write!(f, "ends chaos run {run}"),
        }
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(Part::Asked) => f.write_str("was asked"),
            Self::Part(Part::Armed) => f.write_str("is armed"),
            Self::Part(Part::Refused(_)) => f.write_str("refused"),
            Self::Part(Part::Over) => f.write_str("has all faults off"),
            Self::Did(did) => {
                let how = if did.trouble.is_empty() {
                    ""
                } else {
                    ", not as planned"
                };
                let (step, from, to) = (did.step + 1, did.from_wall_ms, did.to_wall_ms);
                write!(f, "made the fault of step {step} from {from} to {to}{how}")
            }
        }
    }
}
