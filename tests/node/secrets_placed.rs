//! Who has a target's secret decides where a worker may stand; the cluster is told of it at once.

use std::time::Duration;

use lab::{Cluster, Engine, Lab, Stage, Target, Team, Worker, wait_until};

/// The Manager finds a place within seconds; with both cores busy it may take this long.
const PLACE_LIMIT: Duration = Duration::from_mins(1);

fn give(cluster: &Cluster, number: usize) {
    let set = ["secret", "set", "kube"];
    cluster
        .node(number)
        .domo_with(&set, "crown-jewels\n", PLACE_LIMIT)
        .ok();
}

fn stands_on(cluster: &Cluster, number: usize) {
    wait_until(PLACE_LIMIT, "the worker stands there", || {
        let shown = cluster.node(1).ask(&["worker", "show", "crew/hand"]);
        let is_there = shown["node"] == format!("n-{number}");
        is_there.then_some(()).ok_or_else(|| {
            let explained = cluster.node(1).domo(&["worker", "explain", "crew/hand"]);
            format!("{} {explained}", shown["node"])
        })
    });
}

#[test]
fn a_worker_stands_where_its_targets_secret_is_and_follows_it() {
    let lab = Lab::new();
    let cluster = Cluster::start(&lab, &Engine::Process, 3);
    let target = Target::start(&lab);
    target.add(cluster.node(1), "crew", &["--needs-secret"]);
    give(&cluster, 2);
    let stage = Stage::new("look", "hand").deed("ask GET kube/pods");
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    cluster.node(1).apply(&team.yaml()).ok();
    stands_on(&cluster, 2);
    let closed = cluster
        .node(3)
        .wait_closed(&cluster.node(3).submit("crew", "look"));
    assert_eq!(closed["outcome"], "succeeded", "{closed:#}");
    assert_eq!(target.reached().len(), 1);
    let lacking = "it does not have the secret of target kube";
    wait_until(PLACE_LIMIT, "it is told why it is on no other", || {
        let line = ["worker", "explain", "crew/hand"];
        let explained = cluster.node(3).domo(&line).ok();
        let is_told = explained.stdout.matches(lacking).count() == 2;
        is_told.then_some(()).ok_or(explained)
    });

    cluster.node(2).domo(&["secret", "remove", "kube"]).ok();
    give(&cluster, 3);
    stands_on(&cluster, 3);
    let closed = cluster
        .node(2)
        .wait_closed(&cluster.node(2).submit("crew", "look again"));
    assert_eq!(closed["outcome"], "succeeded", "{closed:#}");
    let shown = cluster.node(1).domo(&["node", "show", "n3"]).ok();
    assert!(shown.stdout.contains("of kube"), "{shown}");
    for number in 1..=3 {
        assert!(!cluster.node(number).log().contains("crown-jewels"));
    }
}
