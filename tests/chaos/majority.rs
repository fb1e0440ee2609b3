//! A majority is lost and comes back; a leader hears nobody, or is heard by nobody; its disk is slow
//! or dead. Nothing acknowledged is lost, and the status says what is wrong and what to do.

use std::time::Duration;

use lab::fault::Fault;
use lab::{Cluster, Engine, Lab, Node, Stage, Team, Worker, is_told_once, wait_until};

/// A status says within 3 s that no node leads; with both cores busy it may take this long.
const TOLD_LIMIT: Duration = Duration::from_secs(15);

fn three(lab: &Lab, stage: Stage) -> Cluster {
    let build = |number: usize| Node::named(lab, &format!("n{number}"), &Engine::Process, &[]);
    let cluster = Cluster::start_apart(3, build);
    let team = Team::new(lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    cluster.node(1).apply(&team.yaml()).ok();
    cluster
}

#[test]
fn without_a_majority_the_status_says_what_to_do_and_what_ran_goes_on_after_it() {
    let lab = Lab::new();
    let stage = Stage::new("work", "hand").deed("await go");
    let mut cluster = three(&lab, stage);
    let case = cluster.node(1).submit("crew", "wait");
    cluster.node(1).wait_running(&case, "work");
    let gone = [2, 3].map(|number| {
        let fault = Fault::Freeze.put_on(&mut cluster, number);
        fault.expect("its daemon runs")
    });
    let told = wait_until(TOLD_LIMIT, "the status tells of the lost majority", || {
        let troubles = cluster.node(1).ask(&["status"])["troubles"].to_string();
        troubles
            .contains("no node leads")
            .then(|| troubles.clone())
            .ok_or(troubles)
    });
    assert!(told.contains("start the daemons"), "{told}");
    assert!(told.contains("n1, n2, n3"), "{told}");
    let line = ["case", "submit", "--team", "crew", "never"];
    assert_ne!(
        cluster.node(1).domo(&line).code,
        0,
        "nothing is acknowledged"
    );
    for fault in gone {
        fault.take_off(&mut cluster);
    }
    cluster.wait_status(1, "somebody leads and nothing is wrong", |status| {
        status["cluster"]["leader"].is_string() && status["troubles"] == serde_json::json!([])
    });
    let closed = cluster.node(1).wait_case(&case, "it is closed", |seen| {
        for number in 1..=3 {
            cluster.node(number).release("go");
        }
        seen["status"] == "closed"
    });
    assert_eq!(closed["outcome"], "succeeded", "{closed:#}");
    is_told_once(&closed);
}

/// The leader is hit: cases go on through another node meanwhile, and through itself afterwards.
fn the_leader_is(fault: Fault) {
    let lab = Lab::new();
    let mut cluster = three(&lab, Stage::new("work", "hand").line("attempts: 5"));
    let leader = cluster.leader_seen_by(1);
    let other = leader % 3 + 1;
    let mut cases = vec![cluster.node(leader).submit("crew", "before")];
    let active = fault.put_on(&mut cluster, leader).expect("it leads");
    let taken = wait_until(Duration::from_mins(1), "a case is taken", || {
        let line = [
            "case",
            "submit",
            "--team",
            "crew",
            "meanwhile",
            "--output",
            "json",
        ];
        let answer = cluster.node(other).domo(&line);
        (answer.code == 0).then(|| answer.json()).ok_or(answer)
    });
    cases.push(taken["case"].as_str().expect("a case").to_owned());
    for case in &cases {
        cluster.node(other).wait_closed(case);
    }
    active.take_off(&mut cluster);
    for number in 1..=3 {
        cluster.wait_status(number, "every node is up and writes", |status| {
            let nodes = status["cluster"]["nodes"].as_array();
            status["ledger"]["is_writable"] == true
                && nodes.is_some_and(|nodes| nodes.iter().all(|node| node["health"] == "up"))
        });
    }
    cases.push(cluster.node(leader).submit("crew", "after"));
    for case in &cases {
        let closed = cluster.node(leader).wait_closed(case);
        assert_eq!(closed["outcome"], "succeeded", "{closed:#}");
        is_told_once(&closed);
    }
}

#[test]
fn a_leader_that_nobody_hears_is_followed_by_another() {
    the_leader_is(Fault::Mute);
}

#[test]
fn a_leader_that_hears_nobody_is_followed_by_another() {
    the_leader_is(Fault::Deaf);
}

#[test]
fn a_leader_with_a_slow_disk_loses_nothing() {
    the_leader_is(Fault::SlowDisk);
}

#[test]
fn a_leader_whose_disk_is_dead_for_a_while_goes_on_without_a_restart() {
    the_leader_is(Fault::DeadDisk);
}
