//! Rolling upgrades under load: from the daemon of the commit before to this one, node by node, and
//! one of them back; and from rules that the nodes were held at to the newest ones.
//!
//! # Why
//! `tests/previous` builds the commit before where `tests/run --full` asks for it; without it both
//! daemons are this build, and the first story is that of a rolling restart. The second one needs no
//! other build: a node that says it knows less is treated by all as one that does.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use lab::{Cluster, Engine, Lab, Node, Stage, Target, Team, Worker, is_told_once, wait_until};
use nix::sys::signal::Signal;
use rules::version::NEWEST;
use serde_json::Value;

/// Cases that are handed over while one node is away: as many as two cores carry beside it.
const CASES: usize = 6;
/// Longest absence of a node, with both cores busy.
const AWAY_LIMIT: Duration = Duration::from_mins(2);
/// What a node says it knows at most.
const AT_MOST: &str = "cluster.rules_at_most";

/// The daemon of the commit before.
fn previous() -> PathBuf {
    std::env::var_os("DOMO_TEST_PREVIOUS").map_or_else(lab::domo_path, PathBuf::from)
}

/// A team of two hands, one stage each.
fn crew(lab: &Lab) -> Team {
    Team::new(lab, "crew")
        .worker(Worker::new("left"))
        .worker(Worker::new("right"))
        .stage(Stage::new("one", "left"))
        .stage(Stage::new("two", "right").after("one"))
}

/// Has a node be another one, while cases come in through the next one: none of them may be refused.
fn change(cluster: &mut Cluster, number: usize, how: impl Fn(&mut Node), cases: &mut Vec<String>) {
    let other = number % 3 + 1;
    let mut left = CASES;
    let mut submit = |cluster: &Cluster, cases: &mut Vec<String>| {
        if left > 0 {
            left -= 1;
            cases.push(cluster.node(other).submit("crew", "look"));
        }
    };
    let node = cluster.node_mut(number);
    node.signal(Signal::SIGTERM);
    how(node);
    wait_until(AWAY_LIMIT, "its daemon ends", || {
        submit(cluster, cases);
        let ended = cluster.node_mut(number).ended();
        ended.map(drop).ok_or_else(|| "it runs".to_owned())
    });
    cluster.node_mut(number).spawn();
    cluster.node_mut(number).wait_ready();
    wait_until(AWAY_LIMIT, "it is back, and so is what it lacked", || {
        submit(cluster, cases);
        let here = cluster.node(number).ask(&["status"]);
        let there = cluster.node(other).ask(&["status"]);
        let index = |seen: &Value| seen["ledger"]["applied_index"].as_u64();
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

/// All of them are closed well, each once, whichever node is asked.
fn all_are_done_once(cluster: &Cluster, cases: &[String]) {
    for (at, case) in cases.iter().enumerate() {
        let seen = cluster.node(at % 3 + 1).wait_closed(case);
        assert_eq!(seen["outcome"], "succeeded", "{seen:#}");
        is_told_once(&seen);
    }
    let numbers: BTreeSet<&String> = cases.iter().collect();
    assert_eq!(
        numbers.len(),
        cases.len(),
        "each case has a number of its own"
    );
}

#[test]
fn nodes_are_upgraded_one_by_one_and_put_back_while_cases_go_on() {
    let lab = Lab::new();
    let program = previous();
    let mut cluster = Cluster::start_of(3, |number| {
        let node = Node::named(&lab, &format!("n{number}"), &Engine::Process, &[]);
        node.of_program(program.clone())
    });
    cluster.node(1).apply(&crew(&lab).yaml()).ok();
    let mut cases = Vec::new();
    for program in [lab::domo_path(), previous()] {
        for number in [1, 2, 3] {
            let to = |node: &mut Node| node.run_from(program.clone());
            change(&mut cluster, number, to, &mut cases);
        }
    }
    assert_eq!(cases.len(), 6 * CASES);
    all_are_done_once(&cluster, &cases);
}

/// The version of the rules, and who holds it back, as a node tells.
fn rules(cluster: &Cluster, number: usize) -> (u64, String) {
    let status = cluster.node(number).ask(&["status"]);
    let version = status["cluster"]["rules_version"].as_u64();
    let held_by = status["cluster"]["rules_held_by"].to_string();
    (version.expect("a version"), held_by)
}

#[test]
fn the_rules_rise_with_the_last_node_that_learns_them_and_a_node_that_knows_less_is_refused() {
    let lab = Lab::new();
    let mut cluster = Cluster::start_of(3, |number| {
        let settings = [(AT_MOST, "1")];
        Node::named(&lab, &format!("n{number}"), &Engine::Process, &settings)
    });
    cluster.node(1).apply(&crew(&lab).yaml()).ok();
    let mut cases = vec![cluster.node(1).submit("crew", "before")];
    let target = Target::start(&lab);
    target.add(cluster.node(1), "keepers", &["--needs-secret"]);
    let keepers = Team::of_one(&lab, "keepers");
    cluster.node(1).apply(&keepers.yaml()).ok();
    let is_placed = |cluster: &Cluster| {
        let shown = cluster.node(1).ask(&["worker", "show", "keepers/hand"]);
        shown["node"].is_string()
    };
    wait_until(AWAY_LIMIT, "the old rules ask for no secret", || {
        is_placed(&cluster).then_some(()).ok_or("it has no place")
    });
    let newest = |node: &mut Node| node.set(AT_MOST, "0");
    for number in [1, 2] {
        change(&mut cluster, number, newest, &mut cases);
        let (version, held_by) = rules(&cluster, number);
        assert_eq!(version, 1, "held back by {held_by}");
        assert!(held_by.contains("n3"), "{held_by}");
    }
    // So it can still be put back.
    change(&mut cluster, 2, |node| node.set(AT_MOST, "1"), &mut cases);
    change(&mut cluster, 2, newest, &mut cases);
    assert!(is_placed(&cluster));
    change(&mut cluster, 3, newest, &mut cases);
    for number in [1, 2, 3] {
        wait_until(AWAY_LIMIT, "the version rises everywhere", || {
            let told = rules(&cluster, number);
            let is_so = told == (u64::from(NEWEST), "[]".to_owned());
            is_so.then_some(()).ok_or(format!("{told:?}"))
        });
    }
    wait_until(AWAY_LIMIT, "the new rules ask for the secret", || {
        let left = !is_placed(&cluster);
        left.then_some(()).ok_or("it stands where no secret is")
    });
    // It never falls: who knows less now is refused.
    let node = cluster.node_mut(2);
    node.signal(Signal::SIGTERM);
    wait_until(AWAY_LIMIT, "its daemon ends", || {
        node.ended().ok_or("it runs")
    });
    node.set(AT_MOST, "1");
    node.spawn();
    let status = wait_until(AWAY_LIMIT, "it is refused", || {
        node.ended().ok_or("it runs")
    });
    assert!(!status.success(), "{status}");
    let log = node.log();
    let why = format!(
        "too old: it knows version 1 of the rules, and the cluster uses {NEWEST}; upgrade it"
    );
    assert!(log.contains(&why), "{log}");
    node.set(AT_MOST, "0");
    node.start_again();
    all_are_done_once(&cluster, &cases);
}
