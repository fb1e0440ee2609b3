//! The chaos door: how a node's personas are broken on purpose, where its settings allow that.
//!
//! # Why
//! Of the node itself only its own actors are out of everyone else's reach; processes, disks and
//! networks are broken from outside, without its help.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use actors::Havoc;
use actors::tree::Child;
use rules::State;
use rules::deed::Deed;
use rules::duty::Holder;
use rules::id::{NodeId, TeamName, WorkerId};
use runtime::clock;
use runtime::ledger::Ledger;

use super::convert::chaos::FAULTS;
use super::wire::{ChaosFault, Moment, Trouble};
use crate::chaos::{Orders, fault};

/// The personas of a node, to be broken.
#[derive(Debug)]
pub struct Chaos {
    havoc: Havoc,
    is_held: AtomicBool,
    /// What a warden of this node would be told, but for the run.
    orders: Orders,
}

impl Chaos {
    /// Over a node's personas; `orders` is what a warden of the node would be told, but for the run.
    pub fn new(havoc: Havoc, orders: Orders) -> Self {
        Self {
            havoc,
            orders,
            is_held: AtomicBool::new(false),
        }
    }

    /// Has a persona panic; one that does not run here is left alone.
    pub(super) fn crash(&self, child: Child) {
        self.havoc.crash(child);
    }

    /// Holds the Manager dead while this node leads, or lets him live again.
    pub(super) fn hold_manager(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::Relaxed);
        self.havoc.hold_manager(is_held);
    }

    /// Which faults of a run could not be made here now, and why.
    pub(super) async fn lacks(&self, ledger: &Ledger) -> BTreeMap<ChaosFault, String> {
        let mut orders = self.orders.clone();
        orders.find_peers(ledger).await;
        let mut lacks = BTreeMap::new();
        for (fault, asked) in FAULTS {
            if let Err(why) = fault::check(asked, &orders).await {
                lacks.insert(fault, why);
            }
        }
        lacks
    }

    /// What of it people must know.
    pub(super) fn troubles(&self) -> impl Iterator<Item = Trouble> {
        self.manager_trouble().into_iter().chain(clock_trouble())
    }

    fn manager_trouble(&self) -> Option<Trouble> {
        let hint = "while this node leads, placements, verdicts on nodes and cases without a team \
                    wait; teams go on. Who holds him lets him live again, or the daemon's restart";
        self.is_held.load(Ordering::Relaxed).then(|| Trouble {
            what: "the Manager is held dead on this node, on purpose".to_owned(),
            hint: hint.to_owned(),
            seen: Moment::from_ms(clock::wall().0),
            count: 1,
        })
    }
}

fn clock_trouble() -> Option<Trouble> {
    let off_s = clock::wall_ahead_s();
    (off_s != 0).then(|| Trouble {
        what: format!("the clock of this node is {off_s:+} s off, on purpose"),
        hint: "`domo chaos clock 0` ends it, or the daemon's restart".to_owned(),
        seen: Moment::from_ms(clock::wall().0),
        count: 1,
    })
}

/// The persona that is meant by `manager`, `janitor`, `butler TEAM` or `worker TEAM/NAME`; none
/// where there is no such one.
pub(super) fn child(state: &State, node: NodeId, text: &str) -> Option<Child> {
    let (kind, name) = text.split_once(' ').unwrap_or((text, ""));
    match kind {
        "janitor" => Some(Child::Janitor),
        "manager" => Some(Child::Persona(Holder::Manager)),
        "butler" => {
            let name: TeamName = name.parse().ok()?;
            let team = state.teams.get(&name)?;
            let epoch = team.epoch;
            Some(Child::Persona(Holder::Butler(name, node, epoch)))
        }
        "worker" => {
            let (team, name) = name.split_once('/')?;
            let mut known = state.workers.keys();
            let is_meant = |id: &&WorkerId| id.to_string() == format!("{team}/{name}");
            let worker = known.find(is_meant)?.clone();
            Some(Child::Persona(Holder::Worker(worker, node)))
        }
        _ => None,
    }
}

/// What is noted of a persona that is crashed.
pub(super) fn crashed(child: &Child) -> Deed {
    match child {
        Child::Janitor => Deed::CrashJanitor,
        Child::Persona(Holder::Manager) => Deed::CrashManager,
        Child::Persona(Holder::Butler(team, ..)) => Deed::CrashButler(team.clone()),
        Child::Persona(Holder::Worker(worker, ..)) => Deed::CrashWorker(worker.clone()),
    }
}
