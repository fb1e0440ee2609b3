//! Three nodes: any of them takes cases, and the death of any one loses nothing and doubles nothing.

use lab::{Cluster, Engine, Lab, Stage, Team, Worker, is_told_once};
use serde_json::Value;

in_both_engines!(a_killed_node_s_stages_are_done_elsewhere_once,);

/// A team of two hands, one stage each.
fn crew(lab: &Lab) -> Team {
    Team::new(lab, "crew")
        .worker(Worker::new("left"))
        .worker(Worker::new("right"))
        .stage(Stage::new("one", "left").deed("cause patience"))
        .stage(Stage::new("two", "right").after("one"))
}

fn succeeded_once(case: &Value) {
    assert_eq!(case["outcome"], "succeeded", "{case:#}");
    is_told_once(case);
}

#[test]
fn any_of_three_nodes_takes_cases_and_all_know_their_ends() {
    let lab = Lab::new();
    let cluster = Cluster::start(&lab, &Engine::Process, 3);
    cluster.node(2).apply(&crew(&lab).yaml()).ok();
    let cases = [1, 2, 3].map(|number| cluster.node(number).submit("crew", "look"));
    for case in &cases {
        for number in [1, 2, 3] {
            succeeded_once(&cluster.node(number).wait_closed(case));
        }
    }
}

#[test]
fn what_was_acknowledged_before_the_leader_s_death_is_done_once() {
    let lab = Lab::new();
    let mut cluster = Cluster::start(&lab, &Engine::Process, 3);
    cluster.node(1).apply(&crew(&lab).yaml()).ok();
    let leader = cluster.leader_seen_by(1);
    let other = leader % 3 + 1;
    let attached = lab.path().join("evidence.txt");
    std::fs::write(&attached, "x".repeat(100_000)).unwrap();
    let attached = attached.display().to_string();
    let mut cases = Vec::new();
    for number in 0..6 {
        let id = format!("before-{number}");
        let line = [
            "case",
            "submit",
            "--team",
            "crew",
            "--request-id",
            &id,
            "--attach",
            &attached,
            "look",
        ];
        let node = if number % 2 == 0 { leader } else { other };
        cases.push(
            cluster.node(node).ask(&line)["case"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    cluster.node_mut(leader).kill();
    let again = [
        "case",
        "submit",
        "--team",
        "crew",
        "--request-id",
        "before-0",
        "--attach",
    ];
    let again = cluster
        .node(other)
        .ask(&[&again[..], &[&attached, "look"]].concat());
    assert_eq!(
        again["case"],
        cases[0].as_str(),
        "the same request is the same case"
    );
    cases.push(cluster.node(other).submit("crew", "after"));
    for case in &cases {
        succeeded_once(&cluster.node(other).wait_closed(case));
    }
    assert_ne!(cluster.leader_after(leader, other), leader);
}

fn a_killed_node_s_stages_are_done_elsewhere_once(engine: &Engine) {
    let lab = Lab::new();
    let mut cluster = Cluster::start(&lab, engine, 3);
    let stage = Stage::new("work", "hand")
        .deed("await go")
        .deed("cause patience");
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    cluster.node(1).apply(&team.yaml()).ok();
    let case = cluster.node(1).submit("crew", "wait");
    let seen = cluster.node(1).wait_running(&case, "work");
    let on = seen["attempts"][0]["node"].as_str().unwrap_or_default();
    let on: usize = on
        .trim_start_matches("n-")
        .parse()
        .expect("nodes are numbered");
    let other = on % 3 + 1;
    cluster.node_mut(on).kill();
    let is_elsewhere = |seen: &Value| {
        let attempts = seen["attempts"].as_array();
        attempts.is_some_and(|attempts| attempts.len() == 2 && attempts[1]["status"] == "running")
    };
    cluster
        .node(other)
        .wait_case(&case, "it runs elsewhere", is_elsewhere);
    for number in [1, 2, 3] {
        cluster.node(number).release("go");
    }
    succeeded_once(&cluster.node(other).wait_closed(&case));
    cluster.node_mut(on).start_again();
    cluster.wait_status(other, "it is up again", |status| {
        let nodes = status["cluster"]["nodes"].as_array();
        nodes.is_some_and(|nodes| nodes.iter().all(|node| node["health"] == "up"))
    });
    let node = cluster.node(on);
    lab::wait_until(
        std::time::Duration::from_mins(1),
        "its old agents are gone",
        || match node.boxes().as_slice() {
            [] => Ok(()),
            left => Err(format!("{left:?}")),
        },
    );
}

#[test]
fn without_a_quorum_nothing_is_acknowledged_and_with_one_all_goes_on() {
    let lab = Lab::new();
    let mut cluster = Cluster::start(&lab, &Engine::Process, 3);
    cluster.node(1).apply(&crew(&lab).yaml()).ok();
    for number in [2, 3] {
        cluster.node_mut(number).kill();
    }
    let refused = cluster
        .node(1)
        .domo(&["case", "submit", "--team", "crew", "look"]);
    assert_ne!(refused.code, 0, "{refused}");
    cluster.wait_status(1, "it says that nobody leads", |status| {
        status["cluster"]["leader"].is_null() && status["ledger"]["is_writable"] == false
    });
    cluster.node_mut(2).start_again();
    cluster.leader_seen_by(1);
    let case = cluster.node(2).submit("crew", "look");
    succeeded_once(&cluster.node(1).wait_closed(&case));
}

#[test]
fn who_may_not_join_is_told_why() {
    let lab = Lab::new();
    let cluster = Cluster::start(&lab, &Engine::Process, 1);
    let refused = |token: &str, name: &str, why: &str| {
        let data = lab
            .path()
            .join(format!("refused-{name}"))
            .display()
            .to_string();
        let line = ["node", "join", token, "--data", &data, "--name", name];
        let answer = cluster.node(1).domo(&line);
        assert_eq!(answer.code, 1, "{answer}");
        assert!(answer.stderr.contains(why), "{answer}");
    };
    let token = cluster.token();
    refused(&token, "n1", "n1");
    let (head, tail) = token.split_at(20);
    let mistyped = format!(
        "{head}{}{}",
        if tail.starts_with('a') { 'b' } else { 'a' },
        &tail[1..]
    );
    let data = lab.path().join("mistyped").display().to_string();
    let answer = cluster
        .node(1)
        .domo(&["node", "join", &mistyped, "--data", &data]);
    assert_eq!(answer.code, 2, "{answer}");
    let tokens = cluster.node(1).ask(&["cluster", "tokens"]);
    for token in tokens["tokens"].as_array().unwrap() {
        let name = token["name"].as_str().unwrap();
        cluster.node(1).domo(&["cluster", "revoke", name]).ok();
    }
    refused(&token, "late", "token");
}

#[test]
fn a_drained_node_is_left_and_can_be_removed() {
    let lab = Lab::new();
    let mut cluster = Cluster::start(&lab, &Engine::Process, 3);
    cluster.node(1).apply(&crew(&lab).yaml()).ok();
    let team = cluster.node(1).ask(&["team", "show", "crew"]);
    let on: usize = {
        let node = team["node"].as_str().unwrap();
        node.trim_start_matches("n-").parse().unwrap()
    };
    let other = on % 3 + 1;
    let name = format!("n{on}");
    let too_early = cluster.node(other).domo(&["node", "remove", &name]);
    assert_eq!(too_early.code, 1, "{too_early}");
    cluster.node(other).domo(&["node", "drain", &name]).ok();
    lab::wait_until(std::time::Duration::from_mins(1), "it is left", || {
        let node = cluster.node(other).ask(&["node", "show", &name]);
        if node["butlers"] == 0 && node["workers"] == 0 {
            Ok(())
        } else {
            Err(node.to_string())
        }
    });
    let case = cluster.node(on).submit("crew", "look");
    succeeded_once(&cluster.node(other).wait_closed(&case));
    cluster.node(other).domo(&["node", "remove", &name]).ok();
    lab::wait_until(
        std::time::Duration::from_mins(1),
        "it is in no list",
        || {
            let nodes = cluster.node(other).ask(&["node", "list"]);
            match nodes["nodes"].as_array().map(Vec::len) {
                Some(2) => Ok(()),
                _ => Err(nodes.to_string()),
            }
        },
    );
    cluster.node_mut(on).kill();
    let case = cluster.node(other).submit("crew", "look again");
    succeeded_once(&cluster.node(other).wait_closed(&case));
}
