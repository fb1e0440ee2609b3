//! A rolling upgrade under load: from the daemon of the commit before to this one, node by node, and
//! one of them back.
//!
//! # Why
//! `tests/previous` builds the commit before where `tests/run --full` asks for it; without it both
//! daemons are this build, and the story is that of a rolling restart.

use std::path::PathBuf;
use std::time::Duration;

use lab::{Cluster, Engine, Lab, Node, Stage, Team, Worker, is_told_once, wait_until};

/// Cases that are handed over while one node is away: as many as two cores carry beside it.
const CASES: usize = 6;
/// Longest absence of a node, with both cores busy.
const AWAY_LIMIT: Duration = Duration::from_mins(2);

/// The daemon of the commit before.
fn previous() -> PathBuf {
    std::env::var_os("DOMO_TEST_PREVIOUS").map_or_else(lab::domo_path, PathBuf::from)
}

/// Has a node run another program, while cases come in through the next one: none of them may be
/// refused.
fn change(cluster: &mut Cluster, number: usize, program: PathBuf, cases: &mut Vec<String>) {
    let other = number % 3 + 1;
    let mut left = CASES;
    let mut submit = |cluster: &Cluster, cases: &mut Vec<String>| {
        if left > 0 {
            left -= 1;
            cases.push(cluster.node(other).submit("crew", "look"));
        }
    };
    let node = cluster.node_mut(number);
    node.signal(nix::sys::signal::Signal::SIGTERM);
    node.run_from(program);
    wait_until(AWAY_LIMIT, "its daemon ends", || {
        submit(cluster, cases);
        let ended = cluster.node_mut(number).ended();
        ended.map(drop).ok_or_else(|| "it runs".to_owned())
    });
    cluster.node_mut(number).spawn();
    let socket = cluster.node(number).socket();
    wait_until(AWAY_LIMIT, "it is back, and so is what it lacked", || {
        submit(cluster, cases);
        match lab::request(&socket, "GET", "/v1/status", "") {
            Ok(reply) if reply.status == 200 => {}
            Ok(reply) => return Err(reply.body),
            Err(why) => return Err(why.to_string()),
        }
        let here = cluster.node(number).ask(&["status"]);
        let there = cluster.node(other).ask(&["status"]);
        let index = |seen: &serde_json::Value| seen["ledger"]["applied_index"].as_u64();
        let nodes = there["cluster"]["nodes"].as_array();
        let is_up = nodes.is_some_and(|nodes| nodes.iter().all(|node| node["health"] == "up"));
        if is_up && here["cluster"]["leader"].is_string() && index(&here) >= index(&there) {
            Ok(())
        } else {
            Err(format!("{} and {}", here["ledger"], there["cluster"]))
        }
    });
    while left > 0 {
        left -= 1;
        cases.push(cluster.node(other).submit("crew", "look"));
    }
}

#[test]
fn nodes_are_upgraded_one_by_one_and_one_is_put_back_while_cases_go_on() {
    let lab = Lab::new();
    let program = previous();
    let mut cluster = Cluster::start_of(3, |number| {
        let node = Node::named(&lab, &format!("n{number}"), &Engine::Process, &[]);
        node.of_program(program.clone())
    });
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("left"))
        .worker(Worker::new("right"))
        .stage(Stage::new("one", "left"))
        .stage(Stage::new("two", "right").after("one"));
    cluster.node(1).apply(&team.yaml()).ok();
    let mut cases = Vec::new();
    for number in [1, 2, 3] {
        change(&mut cluster, number, lab::domo_path(), &mut cases);
    }
    change(&mut cluster, 2, previous(), &mut cases);
    assert_eq!(cases.len(), 4 * CASES);
    for case in &cases {
        let seen = cluster.node(2).wait_closed(case);
        assert_eq!(seen["outcome"], "succeeded", "{seen:#}");
        is_told_once(&seen);
    }
    let numbers: std::collections::BTreeSet<&String> = cases.iter().collect();
    assert_eq!(
        numbers.len(),
        cases.len(),
        "each case has a number of its own"
    );
}
