//! What is said in rooms outlives the leader: it is answered once, and reads the same on every node.

use std::time::Duration;

use lab::{Cluster, Engine, Lab, Node, Team, is_told_once, wait_until};
use serde_json::{Value, json};

/// A new leader's Manager answers within moments; both cores may be busy.
const LIMIT: Duration = Duration::from_mins(1);
const ALLOWED: (&str, &str) = ("chaos.allowed", "true");

fn entries(node: &Node, room: &str) -> Vec<Value> {
    let seen = node.ask(&["room", "read", room, "--limit", "1000", "--keep-unread"]);
    seen["entries"].as_array().cloned().unwrap_or_default()
}

fn answers(entries: &[Value], post: &Value) -> usize {
    let answer = entries.iter().filter(|entry| entry["answers"] == *post);
    answer.count()
}

/// Waits until every one of these nodes shows a room as the first of them does.
fn is_the_same_on(cluster: &Cluster, numbers: &[usize], room: &str) -> Vec<Value> {
    wait_until(LIMIT, "the room reads the same everywhere", || {
        let seen: Vec<_> = numbers
            .iter()
            .map(|number| entries(cluster.node(*number), room))
            .collect();
        if seen.iter().all(|one| *one == seen[0]) {
            Ok(seen[0].clone())
        } else {
            Err(format!("{seen:#?}"))
        }
    })
}

fn has_each_post_once(entries: &[Value]) {
    let numbers: Vec<u64> = entries
        .iter()
        .filter_map(|entry| entry["post"].as_u64())
        .collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{entries:#?}");
}

#[test]
fn a_post_whose_leader_dies_before_the_answer_is_answered_once_and_nothing_is_lost() {
    let lab = Lab::new();
    let build =
        |number: usize| Node::named(&lab, &format!("n{number}"), &Engine::Process, &[ALLOWED]);
    let mut cluster = Cluster::start_apart(3, build);
    cluster
        .node(1)
        .apply(&Team::of_one(&lab, "crew").yaml())
        .ok();
    let leader = cluster.leader_seen_by(1);
    let (other, third) = (leader % 3 + 1, (leader + 1) % 3 + 1);
    // More than a room keeps: the oldest are in every node's archive.
    for number in 0..110 {
        let said = format!("word {number}");
        cluster.node(other).ask(&["room", "post", "crew", &said]);
    }
    let held = json!({"is_held": true}).to_string();
    let socket = cluster.node(leader).socket();
    let reply = lab::request(&socket, "POST", "/v1/chaos/manager", &held).expect("it answers");
    assert_eq!(reply.status, 204, "{reply:?}");
    let wish = ["room", "post", "manager", "--request-id", "wish"];
    let wish = [&wish[..], &["create team db like crew"]].concat();
    let posted = cluster.node(other).ask(&wish);
    let opened = cluster
        .node(third)
        .ask(&["room", "post", "crew", "@crew-bot look"]);
    assert_eq!(
        answers(&entries(cluster.node(other), "manager"), &posted["number"]),
        0
    );

    cluster.node_mut(leader).kill();
    let again = cluster.node(third).ask(&wish);
    assert_eq!(
        again["number"], posted["number"],
        "the same wish is the same post"
    );
    wait_until(LIMIT, "the next Manager answers", || {
        match answers(&entries(cluster.node(third), "manager"), &posted["number"]) {
            0 => Err("nobody answered yet".to_owned()),
            _ => Ok(()),
        }
    });
    let case = opened["case"]
        .as_str()
        .unwrap_or_else(|| panic!("{opened:#}"));
    is_told_once(&cluster.node(third).wait_closed(case));
    cluster.node(other).ask(&["team", "show", "db"]);

    cluster.node_mut(leader).start_again();
    for room in ["manager", "crew"] {
        let seen = is_the_same_on(&cluster, &[leader, other, third], room);
        has_each_post_once(&seen);
        if room == "manager" {
            assert_eq!(answers(&seen, &posted["number"]), 1, "{seen:#?}");
        } else {
            let said = |number: usize| {
                let text = format!("word {number}");
                seen.iter().filter(|entry| entry["text"] == *text).count()
            };
            assert!((0..110).all(|number| said(number) == 1), "{seen:#?}");
        }
    }
    is_read_everywhere(&cluster, leader, other);
}

/// Who read it here has read it there.
fn is_read_everywhere(cluster: &Cluster, here: usize, there: usize) {
    cluster
        .node(here)
        .ask(&["room", "read", "crew", "--limit", "1000"]);
    wait_until(LIMIT, "the marker is known elsewhere", || {
        let rooms = cluster.node(there).ask(&["room", "list"]);
        let all = rooms["rooms"].as_array().into_iter().flatten();
        let crew = all.filter(|room| room["name"] == "crew");
        match crew.map(|room| room["unread"].clone()).collect::<Vec<_>>() {
            read if read == [0] => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}
