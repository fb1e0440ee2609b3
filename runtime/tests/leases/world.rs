//! A small cluster in which every clock is a little wrong: consensus as simple as it can be, leases
//! as they are.
//!
//! # Why
//! Consensus is modelled without the courtesy that real followers show to their leader: anybody may
//! call an election at any time. What holds here rests on quorums and clocks alone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rules::id::NodeId;
use rules::node::Health;
use runtime::clock::BootMs;
use runtime::lease::{Grantor, Host, Known, LEASE};

#[path = "consensus.rs"]
mod consensus;

/// Voters; one more node only hosts.
const VOTERS: usize = 3;
const NODES: usize = VOTERS + 1;
const HEARTBEAT_MS: u64 = 100;
const LOOK_MS: u64 = 200;
const JUDGE_MS: u64 = 250;
const RENEW_MS: u64 = 500;
/// Somebody who hears no leader for about this long calls an election.
const ELECTION_MS: u64 = 700;

/// What the world does to the cluster; a time is the mean between two such events, 0 for never.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub lost_percent: u64,
    pub usual_delay_ms: u64,
    pub worst_delay_ms: u64,
    pub pause_ms: u64,
    pub rebel_ms: u64,
    pub cut_ms: u64,
}

/// A verdict in the log, or nothing: a leader's first entry.
type Entry = (u64, Option<(usize, Health)>);

#[derive(Clone, Debug)]
enum Message {
    Append {
        term: u64,
        log: Vec<Entry>,
        commit: usize,
        sent: BootMs,
    },
    Appended {
        term: u64,
        len: usize,
        sent: BootMs,
    },
    Vote {
        term: u64,
        last: (u64, usize),
    },
    Voted {
        term: u64,
    },
    Renew {
        number: u64,
    },
    Answer {
        number: u64,
        is_granted: bool,
    },
}

#[derive(Clone, Debug)]
enum Event {
    Beat,
    Look,
    Judge,
    Renew,
    Elect,
    Arrive(usize, Message),
}

struct Node {
    /// Milliseconds of its clock in a second of the world's.
    rate: u64,
    offset: u64,
    asleep_until: u64,
    cut_until: u64,
    term: u64,
    voted: bool,
    votes: usize,
    log: Vec<Entry>,
    commit: usize,
    leader: Option<usize>,
    heard_leader: u64,
    acked: [Option<BootMs>; VOTERS],
    matched: [usize; VOTERS],
    first: usize,
    grantor: Grantor,
    host: Host,
    held: bool,
}

/// The cluster.
pub struct World {
    chance: u64,
    now: u64,
    order: u64,
    queue: BinaryHeap<Reverse<(u64, u64, usize)>>,
    events: BTreeMap<u64, Event>,
    nodes: Vec<Node>,
    weather: Weather,
    agreed: Vec<Entry>,
    pub breach: Option<String>,
    pub downs: usize,
    pub ups: usize,
    pub grants: usize,
    pub lapses: usize,
}

impl World {
    pub fn new(seed: u64, weather: Weather) -> Self {
        let mut world = World {
            chance: seed,
            now: 0,
            order: 0,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            nodes: Vec::new(),
            weather,
            agreed: Vec::new(),
            breach: None,
            downs: 0,
            ups: 0,
            grants: 0,
            lapses: 0,
        };
        for node in 0..NODES {
            let rate = 990 + 10 * world.below(3);
            let offset = world.below(1_000_000);
            world.nodes.push(Node {
                rate,
                offset,
                asleep_until: 0,
                cut_until: 0,
                term: 0,
                voted: false,
                votes: 0,
                log: Vec::new(),
                commit: 0,
                leader: None,
                heard_leader: 0,
                acked: [None; VOTERS],
                matched: [0; VOTERS],
                first: 0,
                grantor: Grantor::default(),
                host: Host::default(),
                held: false,
            });
            for event in [
                Event::Beat,
                Event::Look,
                Event::Judge,
                Event::Renew,
                Event::Elect,
            ] {
                let at = world.below(500);
                world.at(at, node, event);
            }
        }
        world
    }

    pub fn run(&mut self, until: u64) {
        while let Some(Reverse((at, order, node))) = self.queue.pop() {
            if at > until || self.breach.is_some() {
                return;
            }
            self.now = at;
            let event = self.events.remove(&order).unwrap();
            if self.nodes[node].asleep_until > at {
                // It happens when the node wakes, in the order in which it would have happened.
                let wakes = self.nodes[node].asleep_until;
                self.events.insert(order, event);
                self.queue.push(Reverse((wakes, order, node)));
            } else {
                self.happen(node, event);
            }
            self.check();
        }
    }

    fn check(&mut self) {
        for node in 0..NODES {
            let now = self.clock(node);
            let holds = self.nodes[node].host.holds(now);
            let held = std::mem::replace(&mut self.nodes[node].held, holds);
            self.lapses += usize::from(held && !holds);
            if holds && health(&self.agreed, node) == Health::Down {
                self.breach = Some(format!(
                    "at {} node {node} holds a lease and is called down: {:?}",
                    self.now, self.agreed
                ));
            }
        }
    }

    fn happen(&mut self, me: usize, event: Event) {
        match event {
            Event::Beat => {
                self.beat(me);
                self.at(HEARTBEAT_MS, me, Event::Beat);
            }
            Event::Look => {
                let (now, confirmed) = (self.clock(me), self.confirmed(me));
                self.nodes[me].grantor.look(now, confirmed);
                self.at(LOOK_MS, me, Event::Look);
            }
            Event::Judge => {
                self.judge(me);
                self.at(JUDGE_MS, me, Event::Judge);
            }
            Event::Renew => {
                self.renew(me);
                self.weather(me);
                self.at(RENEW_MS, me, Event::Renew);
            }
            Event::Elect => {
                self.elect(me);
                let wait = ELECTION_MS / 2 + self.below(ELECTION_MS);
                self.at(wait, me, Event::Elect);
            }
            Event::Arrive(from, message) => self.arrive(me, from, message),
        }
    }

    fn weather(&mut self, me: usize) {
        let Weather {
            pause_ms, cut_ms, ..
        } = self.weather;
        if pause_ms > 0 && self.below(pause_ms) < RENEW_MS {
            self.nodes[me].asleep_until = self.now + self.below(9_000);
        }
        if cut_ms > 0 && self.below(cut_ms) < RENEW_MS {
            self.nodes[me].cut_until = self.now + self.below(15_000);
        }
    }

    fn judge(&mut self, me: usize) {
        let now = self.clock(me);
        let link_of = self.below(1_000);
        let known: BTreeMap<NodeId, Known> = (0..NODES)
            .map(|node| (id(node), self.known(me, node)))
            .collect();
        let node = &mut self.nodes[me];
        let link = |with: NodeId| {
            // Links say anything.
            let is_up = link_of & (1 << with.0) == 0;
            let since = BootMs(now.0.saturating_sub(link_of * 7));
            Some(runtime::lease::Link { is_up, since })
        };
        for opinion in node.grantor.opinions(now, &known, link) {
            let about = number(opinion.node);
            if opinion.health == Health::Down && !node.grantor.condemn(now, opinion.node, 1) {
                continue;
            }
            let is_said = node.log[node.commit..].iter().any(|(_, verdict)| {
                verdict.is_some_and(|(of, health)| of == about && health == opinion.health)
            });
            if !is_said && node.leader == Some(me) {
                node.log.push((node.term, Some((about, opinion.health))));
            }
        }
    }

    fn renew(&mut self, me: usize) {
        let now = self.clock(me);
        let number = self.nodes[me].host.ask(now);
        match self.nodes[me].leader {
            Some(leader) if leader == me => {
                let is_granted = self.grant(me, me);
                self.answered(me, number, is_granted);
            }
            Some(leader) => self.send(me, leader, Message::Renew { number }),
            None => {}
        }
    }

    fn grant(&mut self, me: usize, to: usize) -> bool {
        let (now, confirmed, known) = (self.clock(me), self.confirmed(me), self.known(me, to));
        let node = &mut self.nodes[me];
        node.grantor
            .renew(now, confirmed, (id(to), 1), Some(known))
            .is_ok()
    }

    fn answered(&mut self, me: usize, number: u64, is_granted: bool) {
        if is_granted {
            self.grants += 1;
            self.nodes[me].host.granted(number, LEASE);
        }
    }

    fn known(&self, me: usize, node: usize) -> Known {
        let own = &self.nodes[me];
        Known {
            incarnation: 1,
            health: health(&own.log[..own.commit], node),
        }
    }

    fn clock(&self, node: usize) -> BootMs {
        let node = &self.nodes[node];
        BootMs(node.offset + self.now * node.rate / 1_000)
    }

    fn send(&mut self, from: usize, to: usize, message: Message) {
        let is_cut = self.nodes[from].cut_until > self.now || self.nodes[to].cut_until > self.now;
        if is_cut || self.below(100) < self.weather.lost_percent {
            return;
        }
        let Weather {
            usual_delay_ms,
            worst_delay_ms,
            ..
        } = self.weather;
        let most = if self.below(10) == 0 {
            worst_delay_ms
        } else {
            usual_delay_ms
        };
        let delay = 1 + self.below(most + 1);
        self.at(delay, to, Event::Arrive(from, message));
    }

    fn at(&mut self, wait: u64, node: usize, event: Event) {
        self.order += 1;
        self.events.insert(self.order, event);
        self.queue
            .push(Reverse((self.now + wait, self.order, node)));
    }

    /// A number below `most`, by chance (splitmix64).
    fn below(&mut self, most: u64) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.chance;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most.max(1)
    }
}

fn id(node: usize) -> NodeId {
    NodeId(node as u64)
}

fn number(node: NodeId) -> usize {
    usize::try_from(node.0).unwrap()
}

fn last(log: &[Entry]) -> (u64, usize) {
    (log.last().map_or(0, |(term, _)| *term), log.len())
}

fn health(log: &[Entry], node: usize) -> Health {
    let said = log
        .iter()
        .rev()
        .find_map(|(_, verdict)| verdict.filter(|(of, _)| *of == node));
    said.map_or(Health::Up, |(_, health)| health)
}
