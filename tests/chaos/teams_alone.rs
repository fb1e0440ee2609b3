//! While the Manager is held dead, teams go on: only what needs him waits, and the status says so.

use std::time::Duration;

use lab::{Cluster, Engine, Lab, Node, Stage, Team, Worker, is_told_once, wait_until};
use serde_json::{Value, json};

/// A Manager who lives again places what waited within moments; both cores may be busy.
const LIMIT: Duration = Duration::from_mins(1);
const ALLOWED: (&str, &str) = ("chaos.allowed", "true");

fn crew(lab: &Lab, name: &str) -> Team {
    Team::new(lab, name)
        .worker(Worker::new("eyes"))
        .worker(Worker::new("hands"))
        .stage(Stage::new("look", "eyes").deed("sleep 300ms"))
        .stage(Stage::new("act", "hands").after("look"))
}

/// Says it to every node: whichever leads then, he is held there.
fn hold_manager(cluster: &Cluster, is_held: bool) {
    let body = json!({"is_held": is_held}).to_string();
    for number in 1..=cluster.size() {
        break_it(cluster, number, "/v1/chaos/manager", &body);
    }
}

fn break_it(cluster: &Cluster, number: usize, path: &str, body: &str) {
    let socket = cluster.node(number).socket();
    let reply = lab::request(&socket, "POST", path, body).expect("the node answers");
    assert_eq!(reply.status, 204, "{reply:?}");
}

fn troubles(node: &Node) -> String {
    node.ask(&["status"])["troubles"].to_string()
}

#[test]
fn cases_are_taken_done_and_reported_while_the_manager_is_held_dead() {
    let lab = Lab::new();
    let build =
        |number: usize| Node::named(&lab, &format!("n{number}"), &Engine::Process, &[ALLOWED]);
    let cluster = Cluster::start_apart(3, build);
    cluster.node(1).apply(&crew(&lab, "crew").yaml()).ok();
    let first = cluster.node(1).submit("crew", "before");
    is_told_once(&cluster.node(1).wait_closed(&first));

    hold_manager(&cluster, true);
    let cases = [1, 2, 3].map(|number| cluster.node(number).submit("crew", "look"));
    for number in 1..=3 {
        for persona in ["butler crew", "worker crew/eyes", "worker crew/hands"] {
            let body = json!({"persona": persona}).to_string();
            break_it(&cluster, number, "/v1/chaos/crash", &body);
        }
    }
    for case in &cases {
        let closed = cluster.node(2).wait_closed(case);
        assert_eq!(closed["outcome"], "succeeded", "{closed:#}");
        is_told_once(&closed);
    }
    let leader = cluster.leader_seen_by(1);
    let told = troubles(cluster.node(leader));
    assert!(told.contains("the Manager is held dead"), "{told}");

    // What is new has no node before he lives again.
    cluster.node(1).apply(&crew(&lab, "late").yaml()).ok();
    let waiting = cluster.node(1).submit("late", "look");
    let is_placed = |team: &Value| team["node"].is_string();
    let closed = cluster.node(3).submit("crew", "meanwhile");
    is_told_once(&cluster.node(3).wait_closed(&closed));
    let late = cluster.node(1).ask(&["team", "show", "late"]);
    assert!(!is_placed(&late), "{late:#}");
    hold_manager(&cluster, false);
    wait_until(LIMIT, "the new team has its node", || {
        let late = cluster.node(1).ask(&["team", "show", "late"]);
        is_placed(&late).then_some(()).ok_or(late.to_string())
    });
    is_told_once(&cluster.node(1).wait_closed(&waiting));
    assert!(!troubles(cluster.node(leader)).contains("held dead"));
}

#[test]
fn a_node_is_not_broken_where_its_settings_do_not_allow_that() {
    let lab = Lab::new();
    let node = Node::start(&lab, &Engine::Process);
    let body = json!({"persona": "manager"}).to_string();
    let reply = lab::request(&node.socket(), "POST", "/v1/chaos/crash", &body).unwrap();
    assert_eq!(reply.status, 403, "{reply:?}");
    assert!(reply.body.contains("chaos.allowed"), "{reply:?}");
}
