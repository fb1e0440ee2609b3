//! The nodes: each with a disk that outlives its machines, a daemon on each machine, and who founds them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rules::id::NodeId;
use rules::{Command, Who};
use runtime::ledger::{
    Changes, Ledger, LedgerStatus, Limits, OpenError, OpenOptions, StorageStatus, StoreKind,
};

use super::clockwork::{Clockwork, Owner as _, locked};
use super::disk::Disk;
use super::founding::{facts, proposal};
use super::judge::Allows;
use super::machine::{Drift, Machine};
use super::net::{Net, Wire};
use super::oracle::{Oracle, Sighting};
use super::personas;
use super::rare::Rare;

/// A journal's file: small, so that a short trial fills it more than once.
const JOURNAL_BYTES: usize = 96 * 1024;
/// Entries between two snapshots: a trial has some hundreds.
const SNAPSHOT_EVERY: u64 = 60;
/// Entries behind a snapshot: few, so that who was away is given one.
const KEPT_ENTRIES: u64 = 15;
/// How often a node is looked at.
const LOOK: Duration = Duration::from_millis(150);
/// How soon after its start a node is looked at first: before it hears of another term.
const SOON: Duration = Duration::from_millis(2);
/// How long a service manager waits before it starts a daemon again that ended by itself.
const START_AGAIN: Duration = Duration::from_millis(700);

/// One node.
pub struct Node {
    pub disk: Arc<Mutex<Disk>>,
    pub machine: Option<Arc<Machine>>,
    pub starts: u64,
    drift: Drift,
}

/// All nodes and what is between them; clones are the same.
#[derive(Clone)]
pub struct Cluster {
    pub clockwork: Clockwork,
    pub net: Net,
    pub oracle: Oracle,
    pub rare: Rare,
    pub ether: Arc<Machine>,
    nodes: Arc<Mutex<BTreeMap<NodeId, Node>>>,
    is_calm: Arc<AtomicBool>,
}

impl Cluster {
    /// So many nodes, none of which was ever started.
    pub fn new(seed: u64, count: u64) -> Self {
        let clockwork = Clockwork::new(seed);
        let rare = Rare::default();
        let still = Drift {
            boot: Duration::from_secs(1_000),
            faster_ppm: 0,
            wall_ms: 0,
        };
        let no_disk = Arc::new(Mutex::new(Disk::new(0, rare.clone())));
        let ether = Machine::start("the world".to_owned(), &clockwork, still, no_disk);
        let nodes = (1..=count).map(|number| {
            let drift = clockwork.with_dice(|dice| Drift {
                boot: Duration::from_millis(dice.between(1_000, 10_000_000)),
                faster_ppm: if dice.is_in(4) {
                    i64::try_from(dice.between(0, 40_000)).unwrap_or(0) - 20_000
                } else {
                    i64::try_from(dice.between(0, 400)).unwrap_or(0) - 200
                },
                wall_ms: i64::try_from(dice.between(0, 20_000)).unwrap_or(0) - 10_000,
            });
            let disk = Disk::new(clockwork.draw(), rare.clone());
            let node = Node {
                disk: Arc::new(Mutex::new(disk)),
                machine: None,
                starts: 0,
                drift,
            };
            (NodeId(number), node)
        });
        let nodes = Arc::new(Mutex::new(nodes.collect()));
        Self {
            net: Net::new(&clockwork, Arc::clone(&ether), rare.clone()),
            oracle: Oracle::default(),
            rare,
            ether,
            nodes,
            is_calm: Arc::default(),
            clockwork,
        }
    }

    /// No more faults from now on, not even those that were on their way.
    pub fn calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    pub fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    pub fn with_node<R>(&self, node: NodeId, what: impl FnOnce(&mut Node) -> R) -> R {
        what(locked(&self.nodes).get_mut(&node).expect("it is a node"))
    }

    pub fn ids(&self) -> Vec<NodeId> {
        locked(&self.nodes).keys().copied().collect()
    }

    /// Nodes whose daemon runs.
    pub fn up(&self) -> Vec<NodeId> {
        let nodes = locked(&self.nodes);
        let up = nodes.iter().filter(|(_, node)| node.is_up());
        up.map(|(id, _)| *id).collect()
    }

    /// The ledgers that are open.
    pub fn ledgers(&self) -> Vec<(NodeId, Ledger)> {
        let ids = self.ids().into_iter();
        ids.filter_map(|id| Some((id, self.net.at(id)?.0)))
            .collect()
    }

    /// How a node's ledger is doing, where it is open.
    pub fn status(&self, id: NodeId) -> Option<LedgerStatus> {
        let (ledger, machine) = self.net.at(id)?;
        Some(machine.look(|| ledger.status()))
    }

    /// Who says that it leads.
    pub fn leader(&self) -> Option<(NodeId, Ledger)> {
        let mut all = self.ledgers().into_iter();
        all.find(|(id, _)| self.status(*id).is_some_and(|status| status.is_leader))
    }

    /// Starts a node's daemon, on a machine with its disk.
    pub fn start(&self, id: NodeId) {
        let (machine, start) = self.with_node(id, |node| {
            node.starts += 1;
            let name = format!("{id}, start {}", node.starts);
            let disk = Arc::clone(&node.disk);
            let machine = Machine::start(name, &self.clockwork, node.drift, disk);
            node.machine = Some(Arc::clone(&machine));
            (machine, node.starts)
        });
        let cluster = self.clone();
        let on = Arc::clone(&machine);
        machine.run(async move { cluster.daemon(id, on, start).await });
    }

    /// Ends a node's machine here and now; with its power, what was not synced may go too.
    pub fn crash(&self, id: NodeId, is_power_cut: bool) {
        let Some(machine) = self.with_node(id, |node| node.machine.take()) else {
            return;
        };
        machine.kill();
        self.gone(id, is_power_cut);
    }

    /// Sees to machines that died by their own disk's doing.
    pub fn find_dead(&self) {
        for id in self.ids() {
            let is_dead = self.with_node(id, |node| {
                node.machine
                    .as_ref()
                    .is_some_and(|machine| machine.is_dead())
            });
            if is_dead {
                self.with_node(id, |node| node.machine = None);
                self.gone(id, true);
            }
        }
    }

    fn gone(&self, id: NodeId, is_power_cut: bool) {
        self.net.unplug(id);
        self.clockwork.bury();
        self.with_node(id, |node| {
            let mut disk = locked(&node.disk);
            disk.dies_in = None;
            if is_power_cut {
                disk.lose_power();
            } else {
                disk.lose_process();
            }
        });
    }

    /// What a daemon does from its start to its end.
    async fn daemon(self, id: NodeId, machine: Arc<Machine>, start: u64) {
        let wire = Wire {
            from: id,
            net: self.net.clone(),
        };
        let opened = Ledger::open_linked(options(id), Arc::new(wire)).await;
        let (ledger, changes) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.not_opened(id, &machine, &error);
                return self.end(id, &machine);
            }
        };
        self.net.plug_in(id, ledger.clone(), Arc::clone(&machine));
        self.serve(id, &machine, start, &ledger, changes);
        let why = ledger.broken().await;
        if !machine.is_dead() {
            self.broke(id, &machine, &why);
        }
        self.end(id, &machine);
    }

    /// What goes on beside the ledger.
    fn serve(
        &self,
        id: NodeId,
        machine: &Arc<Machine>,
        start: u64,
        ledger: &Ledger,
        changes: Changes,
    ) {
        let (cluster, looked) = (self.clone(), ledger.clone());
        machine.run(async move { cluster.look(id, start, looked).await });
        let (cluster, told) = (self.clone(), ledger.clone());
        machine.run(async move { cluster.hear(id, told).await });
        if start > 1 {
            let (cluster, own) = (self.clone(), ledger.clone());
            machine.run(async move { cluster.join(id, start, &own).await });
        }
        personas::begin(self, id, machine, ledger, changes);
    }

    fn not_opened(&self, id: NodeId, machine: &Machine, error: &OpenError) {
        let has_failed = locked(&machine.disk).has_failed;
        if machine.is_dead() {
            return;
        }
        if let OpenError::Failed { .. } = error
            && has_failed
        {
            return self.rare.saw("a ledger could not be opened for now");
        }
        self.oracle
            .wrong(format!("the ledger of {id} does not open: {error:?}"));
    }

    fn broke(&self, id: NodeId, machine: &Machine, why: &str) {
        if locked(&machine.disk).has_failed {
            return self.rare.saw("consensus broke off on a bad disk");
        }
        self.oracle
            .wrong(format!("consensus of {id} broke off: {why}"));
    }

    /// The daemon ends by itself, and is started again.
    fn end(&self, id: NodeId, machine: &Arc<Machine>) {
        if machine.is_dead() {
            return;
        }
        let (cluster, ended) = (self.clone(), Arc::clone(machine));
        self.ether.run(async move {
            ended.kill();
            let is_same = cluster.with_node(id, |node| {
                let is_same = node
                    .machine
                    .as_ref()
                    .is_some_and(|now| Arc::ptr_eq(now, &ended));
                node.machine.take_if(|_| is_same);
                is_same
            });
            if !is_same {
                return;
            }
            cluster.gone(id, false);
            cluster.clockwork.sleep(START_AGAIN).await;
            if cluster.with_node(id, |node| !node.is_up()) {
                cluster.start(id);
            }
        });
    }

    /// Says that it started again, until somebody hears it.
    async fn join(self, id: NodeId, start: u64, ledger: &Ledger) {
        loop {
            let facts = facts(id, start);
            let told = proposal(Who::Node(id), Command::JoinNode { facts });
            if ledger.propose(told).await.is_ok() {
                return;
            }
            runtime::world::sleep(LOOK).await;
        }
    }

    /// Writes down how it stands, again and again.
    async fn look(self, id: NodeId, start: u64, ledger: Ledger) {
        runtime::world::sleep(SOON).await;
        self.oracle.starts(id, ledger.status().term);
        loop {
            runtime::world::sleep(LOOK).await;
            let (index, chain) = ledger.read(|state| (state.index, state.audit.clone()));
            self.clockwork.note(index);
            if let Some(reign) = ledger.reign()
                && let Some(confirmed) = reign.confirmed
            {
                let ago = runtime::clock::boot().since(confirmed);
                let at = self.clockwork.now().saturating_sub(ago);
                self.oracle.reigned(reign.term, at);
            }
            let sighting = Sighting {
                node: id,
                start,
                at_ms: self.clockwork.now_ms(),
                index,
                count: chain.count,
                head: chain.head,
            };
            self.oracle
                .with(|evidence| evidence.sightings.push(sighting));
        }
    }

    /// Writes down who leads, and what its disk does.
    async fn hear(self, id: NodeId, ledger: Ledger) {
        let mut told = ledger.watch_status();
        let mut was_refusing = false;
        loop {
            let status = told.borrow_and_update().clone();
            if status.is_leader {
                self.oracle.leads(id, status.term, self.clockwork.now());
            }
            let refuses = status.storage != StorageStatus::Ok;
            if was_refusing && !refuses {
                self.rare
                    .saw("a store took writes again after it had refused");
            }
            was_refusing = refuses;
            if told.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Node {
    pub fn is_up(&self) -> bool {
        self.machine.is_some()
    }
}

fn options(id: NodeId) -> OpenOptions {
    OpenOptions {
        store: StoreKind::Redb,
        journal_bytes: JOURNAL_BYTES,
        snapshot_every: SNAPSHOT_EVERY,
        kept_entries: KEPT_ENTRIES,
        judge: Arc::new(Allows),
        limits: Limits {
            propose_ms: 3_000,
            free_bytes: 1_000_000,
            ..Limits::default()
        },
        ..OpenOptions::new(format!("/{id}/ledger"), id)
    }
}
