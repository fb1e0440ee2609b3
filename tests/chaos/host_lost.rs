//! A host is killed, frozen or cut off in the middle of an attempt: its stage goes on elsewhere with
//! everything at hand, and what it did itself counts for nothing when it comes back.

use std::time::Duration;

use lab::fault::Fault;
use lab::{Cluster, Engine, Lab, Node, Stage, Team, Worker, evidence, is_told_once, wait_until};
use serde_json::Value;

/// Old agents go as soon as their node knows that they are superseded.
const LIMIT: Duration = Duration::from_mins(1);

fn attempts(case: &Value) -> &[Value] {
    case["attempts"].as_array().map_or(&[], Vec::as_slice)
}

/// The number of the node on which an attempt runs.
fn node_of(attempt: &Value) -> usize {
    let node = attempt["node"].as_str().unwrap_or_default();
    let number = node.trim_start_matches("n-").parse();
    number.unwrap_or_else(|_| panic!("no node in {attempt}"))
}

fn goes_on_elsewhere(fault: Fault) {
    let lab = Lab::new();
    let build = |number: usize| Node::named(&lab, &format!("n{number}"), &Engine::Process, &[]);
    let mut cluster = Cluster::start_apart(3, build);
    let stage = Stage::new("work", "hand")
        .deed("await go")
        .deed("inputs")
        .deed("cause patience");
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    cluster.node(1).apply(&team.yaml()).ok();
    let attached = lab.file("evidence.txt", "x".repeat(300_000));
    let attached = attached.display().to_string();
    let line = [
        "case", "submit", "--team", "crew", "--attach", &attached, "wait",
    ];
    let opened = cluster.node(1).ask(&line);
    let case = opened["case"].as_str().expect("a case").to_owned();
    let running = cluster.node(1).wait_running(&case, "work");
    let host = node_of(&attempts(&running)[0]);
    cluster.node(host).wait_started(1);
    let other = host % 3 + 1;

    let active = fault.put_on(&mut cluster, host).expect("its daemon runs");
    cluster
        .node(other)
        .wait_case(&case, "its stage runs elsewhere", |seen| {
            let last = attempts(seen).last().filter(|_| attempts(seen).len() == 2);
            last.is_some_and(|last| last["status"] == "running" && node_of(last) != host)
        });
    for number in (1..=3).filter(|number| *number != host) {
        cluster.node(number).release("go");
    }
    let closed = cluster.node(other).wait_closed(&case);
    active.take_off(&mut cluster);
    cluster.node_mut(host).wait_ready();
    // What the late one says now is of an attempt that is over.
    cluster.node(host).release("go");
    for number in 1..=3 {
        cluster.wait_status(number, "every node is up", |status| {
            let nodes = status["cluster"]["nodes"].as_array();
            nodes.is_some_and(|nodes| nodes.iter().all(|node| node["health"] == "up"))
        });
    }
    wait_until(LIMIT, "its old agents are gone", || {
        let left = cluster.node(host).boxes();
        left.is_empty().then_some(()).ok_or(format!("{left:?}"))
    });
    let after = cluster.node(host).case(&case);
    assert_eq!(after["report"]["root_cause"], "patience", "{after:#}");
    assert_eq!(
        after["history"], closed["history"],
        "nothing more has happened"
    );
    assert_eq!(attempts(&after).len(), 2, "{after:#}");
    is_told_once(&after);
    let had = evidence(&after, "work", "inputs").join("\n");
    assert!(had.contains("evidence.txt 300000 "), "{had}");
}

#[test]
fn a_stage_goes_on_elsewhere_when_its_host_s_daemon_is_killed() {
    goes_on_elsewhere(Fault::Kill);
}

#[test]
fn a_stage_goes_on_elsewhere_when_its_host_s_daemon_is_frozen_and_wakes_late() {
    goes_on_elsewhere(Fault::Freeze);
}

#[test]
fn a_stage_goes_on_elsewhere_when_its_host_is_cut_off() {
    goes_on_elsewhere(Fault::Alone);
}
