//! Faults: what can be done to a node, as values; each is made and taken off in a file of its own.
//!
//! ```text
//! daemon     kill · end · freeze · all killed
//! personas   crash · hold the Manager dead
//! agents     boxes killed
//! network    alone · deaf · mute · bridge · lossy · narrow
//! disk       slow · dead
//! ```
//!
//! # Invariant
//! What is put on can be taken off, whatever became of the node meanwhile; a fault that makes no
//! sense now (a kill of a killed daemon) is not put on.
//!
//! # Why
//! Clocks are left alone: `domo` is static, so nothing can be put between it and the system's
//! clock, and setting the machine's would hit every other test. Delay and reordering on the way
//! need a kernel module that the reference machine lacks; a narrow link delays under load.

mod all_killed;
mod alone;
mod boxes_killed;
mod bridge;
mod crash;
mod dead_disk;
mod deaf;
mod door;
mod end;
mod filter;
mod freeze;
mod hold_manager;
mod kill;
mod lossy;
mod mute;
mod narrow;
mod slow_disk;
mod tracer;

use std::fmt;

use crate::cluster::Cluster;
use tracer::Tracer;

/// What can be done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Its daemon is killed with nothing flushed, and started again at the end.
    Kill,
    /// Its daemon is asked to end, and started again at the end.
    End,
    /// All threads of its daemon stand still.
    Freeze,
    /// No packet goes to it or comes from it.
    Alone,
    /// No packet comes to it; its own arrive.
    Deaf,
    /// No packet of its arrives anywhere; others' come to it.
    Mute,
    /// Of the others none hears another; all hear it, and it hears all.
    Bridge,
    /// One packet in ten that comes to it is lost.
    Lossy,
    /// What it sends goes through a link of 256 kbit/s.
    Narrow,
    /// Each sync of its disk takes 200 ms longer.
    SlowDisk,
    /// Its disk syncs nothing and says so.
    DeadDisk,
    /// All daemons are killed, and started again at the end.
    AllKilled,
    /// Its personas panic.
    Crash,
    /// The Manager is held dead, whichever node leads.
    HoldManager,
    /// What its agents run in is killed.
    BoxesKilled,
}

/// Every fault.
pub const ALL: [Fault; 15] = [
    Fault::Kill,
    Fault::End,
    Fault::Freeze,
    Fault::Alone,
    Fault::Deaf,
    Fault::Mute,
    Fault::Bridge,
    Fault::Lossy,
    Fault::Narrow,
    Fault::SlowDisk,
    Fault::DeadDisk,
    Fault::AllKilled,
    Fault::Crash,
    Fault::HoldManager,
    Fault::BoxesKilled,
];

/// What a fault hits: two of the same part are not put on one node at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The daemon's process.
    Daemon,
    /// The network.
    Network,
    /// The disk.
    Disk,
    /// The personas.
    Personas,
    /// The agents.
    Agents,
}

/// A fault that is on, until it is taken off.
#[derive(Debug)]
pub struct Active {
    /// Which it is.
    pub fault: Fault,
    /// The node.
    pub node: usize,
    tracer: Option<Tracer>,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Fault::Kill => "kill",
            Fault::End => "end",
            Fault::Freeze => "freeze",
            Fault::Alone => "alone",
            Fault::Deaf => "deaf",
            Fault::Mute => "mute",
            Fault::Bridge => "bridge",
            Fault::Lossy => "lossy",
            Fault::Narrow => "narrow",
            Fault::SlowDisk => "slow disk",
            Fault::DeadDisk => "dead disk",
            Fault::AllKilled => "all killed",
            Fault::Crash => "crash",
            Fault::HoldManager => "hold Manager",
            Fault::BoxesKilled => "boxes killed",
        };
        out.write_str(word)
    }
}

impl Fault {
    /// What it hits.
    pub fn part(self) -> Part {
        match self {
            Fault::Kill | Fault::End | Fault::Freeze | Fault::AllKilled => Part::Daemon,
            Fault::Alone
            | Fault::Deaf
            | Fault::Mute
            | Fault::Bridge
            | Fault::Lossy
            | Fault::Narrow => Part::Network,
            Fault::SlowDisk | Fault::DeadDisk => Part::Disk,
            Fault::Crash | Fault::HoldManager => Part::Personas,
            Fault::BoxesKilled => Part::Agents,
        }
    }

    /// Puts it on a node, where it makes sense now.
    pub fn put_on(self, cluster: &mut Cluster, node: usize) -> Option<Active> {
        let needs_daemon = self.part() != Part::Network;
        if needs_daemon && !cluster.node_mut(node).is_running() {
            return None;
        }
        let mut tracer = None;
        match self {
            Fault::Kill => kill::put_on(cluster, node),
            Fault::End => end::put_on(cluster, node),
            Fault::Freeze => freeze::put_on(cluster, node),
            Fault::Alone => alone::put_on(cluster, node),
            Fault::Deaf => deaf::put_on(cluster, node),
            Fault::Mute => mute::put_on(cluster, node),
            Fault::Bridge => bridge::put_on(cluster, node),
            Fault::Lossy => lossy::put_on(cluster, node),
            Fault::Narrow => narrow::put_on(cluster, node),
            Fault::SlowDisk => tracer = slow_disk::put_on(cluster, node),
            Fault::DeadDisk => tracer = dead_disk::put_on(cluster, node),
            Fault::AllKilled => all_killed::put_on(cluster),
            Fault::Crash => crash::put_on(cluster, node),
            Fault::HoldManager => hold_manager::put_on(cluster),
            Fault::BoxesKilled => boxes_killed::put_on(cluster, node),
        }
        let is_on = self.part() != Part::Disk || tracer.is_some();
        is_on.then_some(Active {
            fault: self,
            node,
            tracer,
        })
    }
}

impl Active {
    /// Takes it off again. A daemon that it ended is started, and not waited for.
    pub fn take_off(self, cluster: &mut Cluster) {
        match self.fault {
            Fault::Kill => kill::take_off(cluster, self.node),
            Fault::End => end::take_off(cluster, self.node),
            Fault::Freeze => freeze::take_off(cluster, self.node),
            Fault::Alone => alone::take_off(cluster, self.node),
            Fault::Deaf => deaf::take_off(cluster, self.node),
            Fault::Mute => mute::take_off(cluster, self.node),
            Fault::Bridge => bridge::take_off(cluster, self.node),
            Fault::Lossy => lossy::take_off(cluster, self.node),
            Fault::Narrow => narrow::take_off(cluster, self.node),
            // With its tracer the fault goes.
            Fault::SlowDisk | Fault::DeadDisk => drop(self.tracer),
            Fault::AllKilled => all_killed::take_off(cluster),
            Fault::HoldManager => hold_manager::take_off(cluster),
            // What is dead is started by whoever misses it.
            Fault::Crash | Fault::BoxesKilled => {}
        }
    }
}

/// Says once more to every node, now that all answer, that the Manager may live.
pub(crate) fn let_manager_live(cluster: &mut Cluster) {
    hold_manager::take_off(cluster);
}
