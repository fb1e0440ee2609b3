//! A voter that its cluster has gone on without says that it reaches no majority, and what to do.

use std::time::Duration;

use lab::{Cluster, Engine, Lab, wait_until};

/// A status says so within 3 s; with both cores busy it may take this long.
const TOLD_LIMIT: Duration = Duration::from_secs(15);

#[test]
fn a_voter_that_was_removed_while_it_was_away_says_that_it_is_left_behind() {
    let lab = Lab::new();
    let mut cluster = Cluster::start(&lab, &Engine::Process, 3);
    cluster.node_mut(3).kill();
    cluster
        .node(1)
        .domo(&["node", "remove", "n3", "--force"])
        .ok();
    cluster.wait_status(1, "the others go on without it", |status| {
        let nodes = status["cluster"]["nodes"].as_array();
        nodes.is_some_and(|nodes| nodes.len() == 2) && status["cluster"]["leader"].is_string()
    });
    cluster.node_mut(3).start_again();
    let told = wait_until(TOLD_LIMIT, "its status tells", || {
        let status = cluster.node(3).ask(&["status"]);
        let told = status["troubles"].to_string();
        let names_nobody = status["cluster"]["leader"].is_null();
        (names_nobody && told.contains("refuses it"))
            .then(|| told.clone())
            .ok_or(told)
    });
    assert!(told.contains("reaches no majority"), "{told}");
    assert!(told.contains("domo node join"), "{told}");
}
