//! What breaks the nodes, as the seed says: crashes at any await and any write, cuts, weather, bad disks,
//! changes of members.

use std::time::Duration;

use rules::id::NodeId;
use rules::node::Role;
use rules::{Command, Proposal};

use lab::Dice;

use super::clockwork::locked;
use super::cluster::Cluster;
use super::disk::Mood;
use super::founding::{proposal, sam};
use super::net::Weather;

/// Breaks the nodes for so long.
pub struct Nemesis {
    pub cluster: Cluster,
    /// One fault in about so long, in milliseconds.
    pub each_ms: u64,
}

impl Nemesis {
    fn draw<R>(&self, what: impl FnOnce(&mut Dice) -> R) -> R {
        self.cluster.clockwork.with_dice(what)
    }

    /// Rages until its task is ended.
    pub async fn rage(self) {
        loop {
            let ms = self.draw(|dice| dice.between(1, 2 * self.each_ms));
            self.cluster
                .clockwork
                .sleep(Duration::from_millis(ms))
                .await;
            self.strike();
        }
    }

    fn strike(&self) {
        let ids = self.cluster.ids();
        let node = self.draw(|dice| *dice.choose(&ids));
        match self.draw(|dice| dice.below(23)) {
            0..=4 => self.crash(node, false),
            5 | 6 => self.crash(node, true),
            7..=10 => self.crash_at_a_write(node),
            11 => self.crash_leader(),
            12 => self.cut_off(node),
            13 => self.cut_one_way(node),
            14 => self.heal_net(),
            15 => self.storm(),
            16 => self.spoil_disk(node),
            17 => self.crash_all(),
            18 | 19 => self.unrest(),
            _ => self.change_members(node),
        }
    }

    fn note_crash(&self, node: NodeId) {
        let rare = &self.cluster.rare;
        rare.saw("a node crashed");
        let Some(status) = self.cluster.status(node) else {
            return rare.saw("a node crashed before its ledger was open");
        };
        if status.is_leader {
            rare.saw("a leader crashed");
            if status.last_log > status.committed {
                rare.saw("a leader crashed between append and commit");
            }
            if status.committed > status.applied {
                rare.saw("a leader crashed between commit and apply");
            }
        }
        if status.is_changing {
            rare.saw("a node crashed while the voters changed");
        }
        if status.storage != runtime::ledger::StorageStatus::Ok {
            rare.saw("a node crashed while its disk refused");
        }
    }

    fn crash(&self, node: NodeId, is_power_cut: bool) {
        if !self.cluster.with_node(node, |node| node.is_up()) {
            return;
        }
        self.note_crash(node);
        let polls = self.draw(|dice| dice.between(0, 400));
        let cluster = self.cluster.clone();
        self.cluster.ether.run(async move {
            // At any await: some turns from now, not at a moment of its own.
            cluster.clockwork.sleep(Duration::from_micros(polls)).await;
            cluster.crash(node, is_power_cut);
            cluster.start_again(node).await;
        });
    }

    fn crash_at_a_write(&self, node: NodeId) {
        let changes = self.draw(|dice| dice.between(0, 60));
        self.cluster.with_node(node, |node| {
            if node.is_up() {
                locked(&node.disk).dies_in = Some(changes);
            }
        });
    }

    fn crash_leader(&self) {
        if let Some((node, _)) = self.cluster.leader() {
            self.crash(node, self.draw(|dice| dice.is_in(2)));
        }
    }

    fn crash_all(&self) {
        if self.draw(|dice| dice.is_in(3)) {
            self.cluster.rare.saw("all nodes crashed");
            for node in self.cluster.ids() {
                self.crash(node, self.draw(|dice| dice.is_in(2)));
            }
        }
    }

    /// The leader dies, and whoever votes then dies at one of its next writes and is back at once.
    fn unrest(&self) {
        let Some((leader, _)) = self.cluster.leader() else {
            return;
        };
        self.cluster
            .rare
            .saw("voters died in the middle of an election");
        self.note_crash(leader);
        self.cluster.crash(leader, true);
        let cluster = self.cluster.clone();
        self.cluster
            .ether
            .run(async move { cluster.start_soon(leader).await });
        let ms = self.draw(|dice| dice.between(300, 1_000));
        let cluster = self.cluster.clone();
        self.cluster.ether.run(async move {
            cluster.clockwork.sleep(Duration::from_millis(ms)).await;
            if cluster.is_calm() {
                return;
            }
            for node in cluster.ids() {
                let changes = cluster.clockwork.with_dice(|dice| dice.between(0, 6));
                cluster.with_node(node, |node| {
                    if node.is_up() {
                        locked(&node.disk).dies_in = Some(changes);
                    }
                });
            }
        });
    }

    fn cut_off(&self, node: NodeId) {
        let is_leader = self
            .cluster
            .leader()
            .is_some_and(|(leads, _)| leads == node);
        self.cluster.rare.saw(if is_leader {
            "a leader was cut off"
        } else {
            "a node was cut off"
        });
        for other in self.cluster.ids() {
            if other != node {
                self.cluster.net.cut(node, other);
                self.cluster.net.cut(other, node);
            }
        }
        self.heal_later();
    }

    fn cut_one_way(&self, node: NodeId) {
        self.cluster.rare.saw("a way was cut in one direction");
        let is_deaf = self.draw(|dice| dice.is_in(2));
        for other in self.cluster.ids() {
            if is_deaf {
                self.cluster.net.cut(other, node);
            } else {
                self.cluster.net.cut(node, other);
            }
        }
        self.heal_later();
    }

    fn heal_later(&self) {
        let ms = self.draw(|dice| dice.between(100, 4_000));
        let cluster = self.cluster.clone();
        self.cluster.ether.run(async move {
            cluster.clockwork.sleep(Duration::from_millis(ms)).await;
            cluster.net.heal();
        });
    }

    fn heal_net(&self) {
        self.cluster.net.heal();
    }

    fn storm(&self) {
        let weather = self.draw(|dice| Weather {
            lost: dice.between(0, 200),
            doubled: dice.between(0, 200),
            late: dice.between(0, 300),
            late_ms: dice.between(5, 800),
        });
        self.cluster.net.set_weather(weather);
    }

    fn spoil_disk(&self, node: NodeId) {
        let mood = self.draw(|dice| match dice.below(4) {
            0 => Mood {
                fails_one_in: usize::try_from(dice.between(1, 20)).unwrap_or(1),
                ..Mood::default()
            },
            1 => Mood {
                is_full: true,
                ..Mood::default()
            },
            2 => Mood {
                slow_us: dice.between(20_000, 400_000),
                ..Mood::default()
            },
            _ => Mood {
                fails_one_in: 1,
                ..Mood::default()
            },
        });
        let set = move |cluster: &Cluster, mood: Mood| {
            cluster.with_node(node, |node| locked(&node.disk).mood = mood);
        };
        set(&self.cluster, mood);
        let ms = self.draw(|dice| dice.between(50, 3_000));
        let cluster = self.cluster.clone();
        self.cluster.ether.run(async move {
            cluster.clockwork.sleep(Duration::from_millis(ms)).await;
            set(&cluster, Mood::default());
        });
    }

    /// A person pins a node as voter or has it only listen.
    fn change_members(&self, node: NodeId) {
        let role = self.draw(|dice| *dice.choose(&[Role::Auto, Role::Learner, Role::Auto]));
        let Some((ledger, machine)) = self.cluster.net.at(node) else {
            return;
        };
        let rare = self.cluster.rare.clone();
        let asked: Proposal = proposal(sam(), Command::SetRole { node, role });
        machine.run(async move {
            if let Ok(Ok(_)) = ledger.propose(asked).await {
                rare.saw("who may vote was changed");
            }
        });
    }
}

impl Cluster {
    /// Starts a node again after a while, unless somebody else did.
    pub async fn start_again(&self, node: NodeId) {
        let ms = self.clockwork.with_dice(|dice| {
            if dice.is_in(4) {
                dice.between(1_000, 6_000)
            } else {
                dice.between(1, 500)
            }
        });
        self.clockwork.sleep(Duration::from_millis(ms)).await;
        if self.with_node(node, |node| !node.is_up()) {
            self.start(node);
        }
    }

    /// Starts a node again almost at once.
    async fn start_soon(&self, node: NodeId) {
        let ms = self.clockwork.with_dice(|dice| dice.between(1, 60));
        self.clockwork.sleep(Duration::from_millis(ms)).await;
        if self.with_node(node, |node| !node.is_up()) {
            self.start(node);
        }
    }

    /// Looks after machines that died by themselves.
    pub async fn attend(self) {
        loop {
            self.clockwork.sleep(Duration::from_millis(5)).await;
            let before = self.up();
            self.find_dead();
            for node in before {
                if self.with_node(node, |node| !node.is_up()) {
                    self.rare.saw("a node crashed at a write");
                    let cluster = self.clone();
                    let is_soon = self.clockwork.with_dice(|dice| dice.is_in(2));
                    self.ether.run(async move {
                        if is_soon {
                            cluster.start_soon(node).await;
                        } else {
                            cluster.start_again(node).await;
                        }
                    });
                }
            }
        }
    }

    /// Takes all faults off.
    pub fn heal(&self) {
        self.net.heal();
        for node in self.ids() {
            self.with_node(node, |node| {
                let mut disk = locked(&node.disk);
                disk.mood = Mood::default();
                disk.dies_in = None;
            });
        }
        self.find_dead();
        for node in self.ids() {
            if self.with_node(node, |node| !node.is_up()) {
                self.start(node);
            }
        }
    }
}
