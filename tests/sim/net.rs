//! The network: messages are late, lost, doubled and overtaken; ways are cut in one direction or both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rules::id::NodeId;
use runtime::ledger::{Carried, Ledger, Links, NoAnswer};
use runtime::world;
use tokio::sync::oneshot;

use lab::Dice;

use super::clockwork::{Clockwork, locked};
use super::machine::Machine;
use super::rare::Rare;

/// How the network is.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Messages that are lost, in a thousand.
    pub lost: u64,
    /// Messages that come twice, in a thousand.
    pub doubled: u64,
    /// Messages that come very late, in a thousand.
    pub late: u64,
    /// How late at most, in milliseconds.
    pub late_ms: u64,
}

impl Weather {
    pub const FAIR: Self = Self {
        lost: 0,
        doubled: 0,
        late: 0,
        late_ms: 1,
    };

    fn delay(self, dice: &mut Dice) -> Duration {
        if dice.between(1, 1000) <= self.late {
            return Duration::from_millis(dice.between(1, self.late_ms));
        }
        Duration::from_micros(dice.between(100, 2_000))
    }
}

struct Inner {
    up: BTreeMap<NodeId, (Ledger, Arc<Machine>)>,
    /// Ways on which nothing comes through.
    cut: BTreeSet<(NodeId, NodeId)>,
    weather: Weather,
}

/// The network; clones are the same one.
#[derive(Clone)]
pub struct Net {
    inner: Arc<Mutex<Inner>>,
    clockwork: Clockwork,
    /// Where what is under way goes on.
    ether: Arc<Machine>,
    rare: Rare,
}

impl Net {
    pub fn new(clockwork: &Clockwork, ether: Arc<Machine>, rare: Rare) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                up: BTreeMap::new(),
                cut: BTreeSet::new(),
                weather: Weather::FAIR,
            })),
            clockwork: clockwork.clone(),
            ether,
            rare,
        }
    }

    pub fn plug_in(&self, node: NodeId, ledger: Ledger, machine: Arc<Machine>) {
        locked(&self.inner).up.insert(node, (ledger, machine));
    }

    pub fn unplug(&self, node: NodeId) {
        let gone = locked(&self.inner).up.remove(&node);
        drop(gone);
    }

    /// The ledger of a node that is up.
    pub fn at(&self, node: NodeId) -> Option<(Ledger, Arc<Machine>)> {
        locked(&self.inner).up.get(&node).cloned()
    }

    pub fn set_weather(&self, weather: Weather) {
        locked(&self.inner).weather = weather;
    }

    pub fn cut(&self, from: NodeId, to: NodeId) {
        locked(&self.inner).cut.insert((from, to));
    }

    pub fn heal(&self) {
        let mut inner = locked(&self.inner);
        inner.cut.clear();
        inner.weather = Weather::FAIR;
    }

    pub fn is_cut(&self, from: NodeId, to: NodeId) -> bool {
        locked(&self.inner).cut.contains(&(from, to))
    }

    /// Whether a message arrives, how late, and how late once more where it is doubled.
    fn fate(&self, from: NodeId, to: NodeId) -> Option<(Duration, Option<Duration>)> {
        let (weather, is_cut) = {
            let inner = locked(&self.inner);
            (inner.weather, inner.cut.contains(&(from, to)))
        };
        self.clockwork.with_dice(|dice| {
            if is_cut || dice.between(1, 1000) <= weather.lost {
                return None;
            }
            let again = dice.between(1, 1000) <= weather.doubled;
            let again = again.then(|| weather.delay(dice) + Duration::from_millis(5));
            Some((weather.delay(dice), again))
        })
    }

    /// Brings a call to a node, and its answer back.
    async fn carry(
        self,
        (from, to): (NodeId, NodeId),
        (call, limit): (Arc<Vec<u8>>, Duration),
        told: oneshot::Sender<Result<Vec<u8>, NoAnswer>>,
    ) {
        let Some((delay, again)) = self.fate(from, to) else {
            lost(told).await;
            return;
        };
        if let Some(again) = again {
            self.rare.saw("a message came twice");
            let (net, call) = (self.clone(), Arc::clone(&call));
            self.ether.run(async move {
                net.clockwork.sleep(again).await;
                drop(net.arrive((from, to), (&call, limit)).await);
            });
        }
        self.clockwork.sleep(delay).await;
        let Some(answer) = self.arrive((from, to), (&call, limit)).await else {
            // Its process is gone, and the link broke.
            drop(told.send(Err(NoAnswer::TooLate(to))));
            return;
        };
        let Some((delay, _)) = self.fate(to, from) else {
            lost(told).await;
            return;
        };
        self.clockwork.sleep(delay).await;
        drop(told.send(answer.ok_or(NoAnswer::TooLate(to))));
    }

    /// Has a node answer a call; none where it died meanwhile.
    async fn arrive(
        &self,
        (from, to): (NodeId, NodeId),
        (call, limit): (&Arc<Vec<u8>>, Duration),
    ) -> Option<Option<Vec<u8>>> {
        let (ledger, machine) = self.at(to)?;
        let (told, answered) = oneshot::channel();
        let (call, rare) = (Arc::clone(call), self.rare.clone());
        let limit = self.clockwork.with_dice(|dice| match dice.below(50) {
            // It was long on its way.
            0 => Duration::from_micros(dice.between(1, 20_000)),
            _ => limit,
        });
        machine.run(async move {
            let answer = world::timeout(limit, ledger.answer(from, &call)).await;
            if answer.is_err() {
                rare.saw("a call was given up by who answered it");
            }
            drop(told.send(answer.ok().flatten()));
        });
        drop(machine);
        answered.await.ok()
    }
}

/// Nobody is told, ever.
async fn lost(told: oneshot::Sender<Result<Vec<u8>, NoAnswer>>) {
    let mut told = told;
    told.closed().await;
}

/// A node's links.
pub struct Wire {
    pub from: NodeId,
    pub net: Net,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the links of {}", self.from)
    }
}

impl Links for Wire {
    fn call(&self, to: NodeId, call: Vec<u8>, limit: Duration) -> Carried<'_> {
        Box::pin(async move {
            let knows = self.net.clockwork.with_dice(|dice| dice.is_in(2));
            let is_gone = self.net.at(to).is_none() || self.net.is_cut(self.from, to);
            if is_gone && knows {
                return Err(NoAnswer::NoLink(to));
            }
            self.net.clockwork.note(call.len() as u64);
            let (told, answer) = oneshot::channel();
            let call = (Arc::new(call), limit);
            let carried = self.net.clone().carry((self.from, to), call, told);
            self.net.ether.run(carried);
            match world::timeout(limit, answer).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) | Err(_) => Err(NoAnswer::TooLate(to)),
            }
        })
    }
}
