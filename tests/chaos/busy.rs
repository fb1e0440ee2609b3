//! Both cores are busy and the lines lose packets: nothing is gone, so that no team moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use lab::fault::Fault;
use lab::{Cluster, Engine, Lab, Node, Stage, Team, Worker, is_told_once, scale};
use serde_json::Value;

const TEAMS: [&str; 3] = ["red", "green", "blue"];
/// Cases that are done one after the other meanwhile.
const CASES: usize = 12;
/// Threads that compute for nothing: one for each core of the machine that the figure speaks of.
const BUSY: usize = 2;

/// Threads that never rest, until they are dropped.
struct Busy {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Busy {
    fn start() -> Busy {
        let is_over = Arc::new(AtomicBool::new(false));
        let spin = |_| {
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        let threads = (0..BUSY).map(spin).collect();
        Busy { is_over, threads }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing to say here.
            drop(thread.join());
        }
    }
}

/// Where each butler and worker is, and for the how manieth time it was placed.
fn places(cluster: &Cluster) -> Vec<Value> {
    let place = |team: &&str| {
        let seen = cluster.node(1).ask(&["team", "show", team]);
        let members = seen["members"].as_array().cloned().unwrap_or_default();
        let members: Vec<Value> = members
            .iter()
            .map(|worker| serde_json::json!([worker["id"], worker["node"], worker["epoch"]]))
            .collect();
        serde_json::json!([team, seen["node"], seen["epoch"], members])
    };
    TEAMS.iter().map(place).collect()
}

#[test]
fn no_team_moves_while_cores_are_busy_and_packets_are_lost() {
    let lab = Lab::new();
    let build = |number: usize| Node::named(&lab, &format!("n{number}"), &Engine::Process, &[]);
    let mut cluster = Cluster::start_apart(3, build);
    for name in TEAMS {
        let team = Team::new(&lab, name)
            .worker(Worker::new("hand"))
            .stage(Stage::new("work", "hand"));
        cluster.node(1).apply(&team.yaml()).ok();
        let first = cluster.node(1).submit(name, "before");
        cluster.node(1).wait_closed(&first);
    }
    let before = places(&cluster);
    let lossy = [1, 2, 3].map(|number| {
        let fault = Fault::Lossy.put_on(&mut cluster, number);
        fault.expect("a line can always lose packets")
    });
    let busy = Busy::start();
    for number in 0..scale(CASES) {
        let (node, team) = (number % 3 + 1, TEAMS[number / 3 % TEAMS.len()]);
        let case = cluster.node(node).submit(team, "meanwhile");
        let closed = cluster.node(node % 3 + 1).wait_closed(&case);
        assert_eq!(closed["outcome"], "succeeded", "{closed:#}");
        is_told_once(&closed);
        let attempts = closed["attempts"].as_array().map(Vec::len);
        assert_eq!(attempts, Some(1), "nothing is begun anew: {closed:#}");
    }
    drop(busy);
    for fault in lossy {
        fault.take_off(&mut cluster);
    }
    assert_eq!(places(&cluster), before);
}
