//! Faults: what can be done to a node, as values; each is made and taken off in a file of its own.
//!
//! ```text
//! daemon     kill · end · freeze · all killed · starved · no files · no memory · older
//! personas   crash · hold the Manager dead
//! agents     boxes killed · engine hung · engine killed
//! network    alone · deaf · mute · bridge · ring · lossy · late · narrow · torn
//! disk       slow · dead · full
//! members    demoted · drained
//! clock      ahead · behind
//! clients    break off
//! ```
//!
//! # Invariant
//! What is put on can be taken off, whatever became of the node meanwhile; a fault that makes no
//! sense now (a kill of a killed daemon, a ring of three) is not put on.
//!
//! # Why
//! A clock is set through the daemon's own chaos door: `domo` is static, so that nothing can be put
//! between it and the system's clock, and setting the machine's would hit every other test.

mod all_killed;
mod alone;
mod boxes_killed;
mod break_off;
mod bridge;
mod clock;
mod crash;
mod dead_disk;
mod deaf;
mod demoted;
mod door;
mod drained;
mod end;
mod engine_hung;
mod engine_killed;
mod filter;
mod freeze;
mod full_disk;
mod hold_manager;
mod kill;
mod late;
mod lossy;
mod mute;
mod narrow;
mod no_files;
mod no_memory;
mod older;
mod ring;
mod slow_disk;
mod starved;
mod torn;
mod tracer;

use std::fmt;

use crate::cluster::Cluster;
use late::Lines;
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
    /// The nodes hear only their neighbours in a ring; it takes four.
    Ring,
    /// Every connection with it is reset.
    Torn,
    /// What goes to it and from it is a while on its way.
    Late,
    /// Its daemon gets a twentieth of a core.
    Starved,
    /// Its daemon may open no more files.
    NoFiles,
    /// Its disk is full.
    FullDisk,
    /// It may not vote.
    Demoted,
    /// Its teams and workers are to leave it.
    Drained,
    /// The engine of all nodes' agents stands still.
    EngineHung,
    /// The engine of all nodes' agents is killed, and started again at the end.
    EngineKilled,
    /// Its daemon has hardly any memory that it does not have already.
    NoMemory,
    /// Its daemon is the one of the commit before, until the end; it takes a build of that.
    Older,
    /// Its clock is an hour ahead.
    ClockAhead,
    /// Its clock is an hour behind.
    ClockBehind,
    /// Clients break off in the middle of what they say, or before they are answered.
    BreakOff,
}

/// Every fault.
pub const ALL: [Fault; 30] = [
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
    Fault::Ring,
    Fault::Torn,
    Fault::Late,
    Fault::Starved,
    Fault::NoFiles,
    Fault::FullDisk,
    Fault::Demoted,
    Fault::Drained,
    Fault::EngineHung,
    Fault::EngineKilled,
    Fault::NoMemory,
    Fault::Older,
    Fault::ClockAhead,
    Fault::ClockBehind,
    Fault::BreakOff,
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
    /// Who belongs to the cluster, and as what.
    Members,
    /// The wall clock.
    Clock,
    /// Whoever hands cases over.
    Clients,
}

/// A fault that is on, until it is taken off.
#[derive(Debug)]
pub struct Active {
    /// Which it is.
    pub fault: Fault,
    /// The node.
    pub node: usize,
    held: Held,
}

/// What a fault keeps until it is taken off.
#[derive(Debug)]
enum Held {
    /// Nothing.
    Nothing,
    /// What slows or fails the disk: with it the fault goes.
    Tracer(#[expect(dead_code, reason = "it is ended by its drop")] Tracer),
    /// What is in the middle of its connections: with them those go too.
    Lines(#[expect(dead_code, reason = "they are ended by their drop")] Lines),
    /// What the daemon's limit of files was.
    Files(String),
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
            Fault::Ring => "ring",
            Fault::Torn => "torn",
            Fault::Late => "late",
            Fault::Starved => "starved",
            Fault::NoFiles => "no files",
            Fault::FullDisk => "full disk",
            Fault::Demoted => "demoted",
            Fault::Drained => "drained",
            Fault::EngineHung => "engine hung",
            Fault::EngineKilled => "engine killed",
            Fault::NoMemory => "no memory",
            Fault::Older => "older",
            Fault::ClockAhead => "clock ahead",
            Fault::ClockBehind => "clock behind",
            Fault::BreakOff => "break off",
        };
        out.write_str(word)
    }
}

impl Fault {
    /// What it hits.
    pub fn part(self) -> Part {
        match self {
            Fault::Kill
            | Fault::End
            | Fault::Freeze
            | Fault::AllKilled
            | Fault::Starved
            | Fault::NoFiles
            | Fault::NoMemory
            | Fault::Older => Part::Daemon,
            Fault::Alone
            | Fault::Deaf
            | Fault::Mute
            | Fault::Bridge
            | Fault::Ring
            | Fault::Lossy
            | Fault::Narrow
            | Fault::Torn
            | Fault::Late => Part::Network,
            Fault::SlowDisk | Fault::DeadDisk | Fault::FullDisk => Part::Disk,
            Fault::Crash | Fault::HoldManager => Part::Personas,
            Fault::BoxesKilled | Fault::EngineHung | Fault::EngineKilled => Part::Agents,
            Fault::Demoted | Fault::Drained => Part::Members,
            Fault::ClockAhead | Fault::ClockBehind => Part::Clock,
            Fault::BreakOff => Part::Clients,
        }
    }

    /// Whether all nodes have it in common, so that it is on once or not at all.
    pub fn is_common(self) -> bool {
        matches!(
            self,
            Fault::EngineHung | Fault::EngineKilled | Fault::Ring | Fault::BreakOff
        )
    }

    /// Puts it on a node, where it makes sense now.
    pub fn put_on(self, cluster: &mut Cluster, node: usize) -> Option<Active> {
        let needs_daemon = self.part() != Part::Network && !self.is_common();
        if needs_daemon && !cluster.node_mut(node).is_running() {
            return None;
        }
        let held = self.put(cluster, node)?;
        Some(Active {
            fault: self,
            node,
            held,
        })
    }

    fn put(self, cluster: &mut Cluster, node: usize) -> Option<Held> {
        match self {
            Fault::Kill => kill::put_on(cluster, node),
            Fault::End => end::put_on(cluster, node),
            Fault::Freeze => freeze::put_on(cluster, node),
            Fault::Alone => alone::put_on(cluster, node),
            Fault::Deaf => deaf::put_on(cluster, node),
            Fault::Mute => mute::put_on(cluster, node),
            Fault::Bridge => bridge::put_on(cluster, node),
            Fault::Ring => ring::put_on(cluster)?,
            Fault::Lossy => lossy::put_on(cluster, node),
            Fault::Narrow => narrow::put_on(cluster, node),
            Fault::Torn => torn::put_on(cluster, node),
            Fault::Late => return Some(Held::Lines(late::put_on(cluster, node))),
            Fault::SlowDisk => return slow_disk::put_on(cluster, node).map(Held::Tracer),
            Fault::DeadDisk => return dead_disk::put_on(cluster, node).map(Held::Tracer),
            Fault::FullDisk => full_disk::put_on(cluster, node)?,
            Fault::AllKilled => all_killed::put_on(cluster),
            Fault::Starved => starved::put_on(cluster, node)?,
            Fault::NoFiles => return no_files::put_on(cluster, node).map(Held::Files),
            Fault::Crash => crash::put_on(cluster, node),
            Fault::HoldManager => hold_manager::put_on(cluster),
            Fault::BoxesKilled => boxes_killed::put_on(cluster, node),
            Fault::EngineHung => engine_hung::put_on(cluster)?,
            Fault::EngineKilled => engine_killed::put_on(cluster)?,
            Fault::Demoted => demoted::put_on(cluster, node)?,
            Fault::Drained => drained::put_on(cluster, node)?,
            Fault::NoMemory => no_memory::put_on(cluster, node)?,
            Fault::Older => older::put_on(cluster, node)?,
            Fault::ClockAhead => clock::ahead(cluster, node)?,
            Fault::ClockBehind => clock::behind(cluster, node)?,
            Fault::BreakOff => break_off::put_on(cluster),
        }
        Some(Held::Nothing)
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
            Fault::Ring => ring::take_off(cluster),
            Fault::Lossy => lossy::take_off(cluster, self.node),
            Fault::Narrow => narrow::take_off(cluster, self.node),
            Fault::Torn => torn::take_off(cluster, self.node),
            Fault::Late => late::take_off(cluster, self.node),
            Fault::FullDisk => full_disk::take_off(cluster, self.node),
            Fault::AllKilled => all_killed::take_off(cluster),
            Fault::Starved => starved::take_off(cluster, self.node),
            Fault::NoFiles => no_files::take_off(cluster, self.node, &self.held),
            Fault::HoldManager => hold_manager::take_off(cluster),
            Fault::EngineHung => engine_hung::take_off(cluster),
            Fault::EngineKilled => engine_killed::take_off(cluster),
            Fault::Demoted => demoted::take_off(cluster, self.node),
            Fault::Drained => drained::take_off(cluster, self.node),
            Fault::NoMemory => no_memory::take_off(cluster, self.node),
            Fault::Older => older::take_off(cluster, self.node),
            Fault::ClockAhead | Fault::ClockBehind => clock::take_off(cluster, self.node),
            Fault::BreakOff => break_off::take_off(cluster),
            // With the tracer the fault goes; what is dead is started by whoever misses it.
            Fault::SlowDisk | Fault::DeadDisk | Fault::Crash | Fault::BoxesKilled => {}
        }
    }
}

/// Says once more to every node, now that all answer, what they may not have heard: that the Manager
/// may live, that their clocks are right, and that all of them vote and are used.
pub(crate) fn make_good(cluster: &mut Cluster) {
    hold_manager::take_off(cluster);
    for node in 1..=cluster.size() {
        demoted::make_good(cluster, node);
        drained::make_good(cluster, node);
        clock::make_good(cluster, node);
    }
}
