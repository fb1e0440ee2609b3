//! A wish that is said twice is done once.

use lab::{Engine, Lab, Node, Team};

#[test]
fn the_same_request_twice_opens_one_case() {
    let lab = Lab::new();
    let mut node = Node::start(&lab, &Engine::Process);
    node.apply(&Team::of_one(&lab, "crew").yaml()).ok();
    let first = node.ask(&["case", "submit", "--team", "crew", "once"]);
    assert_eq!(first["id"], first["case"], "{first:#}");
    let id = first["request_id"].as_str().unwrap_or_default().to_owned();
    let line = [
        "case",
        "submit",
        "--team",
        "crew",
        "--request-id",
        &id,
        "once",
    ];
    assert_eq!(node.ask(&line)["case"], first["case"]);
    node.kill();
    node.start_again();
    assert_eq!(
        node.ask(&line)["case"],
        first["case"],
        "also after a restart"
    );
    let case = first["case"].as_str().unwrap_or_default();
    node.wait_closed(case);
    assert_eq!(
        node.ask(&line)["case"],
        first["case"],
        "also when it is closed"
    );
    let all = node.ask(&["case", "list"])["cases"]
        .as_array()
        .map(Vec::len);
    assert_eq!(all, Some(1));
    let other = [
        "case",
        "submit",
        "--team",
        "crew",
        "--request-id",
        &id,
        "something else",
    ];
    let refused = node.domo(&other).refused();
    assert!(refused.stderr.contains("request"), "{refused}");
}

#[test]
fn the_same_request_from_many_at_once_opens_one_case() {
    let lab = Lab::new();
    let node = Node::start(&lab, &Engine::Process);
    node.apply(&Team::of_one(&lab, "crew").yaml()).ok();
    let clock = lab::request(&node.socket(), "GET", "/v1/clock", "")
        .unwrap()
        .json();
    let id = format!("many-at-once@{}", clock["clock_ms"]);
    let socket = node.socket();
    let opened: Vec<String> = std::thread::scope(|scope| {
        let ask = || {
            let body = r#"{"team": "crew", "brief": "once"}"#;
            let head = format!(
                "POST /v1/cases HTTP/1.1\r\nhost: domo\r\nconnection: close\r\nrequest-id: {id}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let reply = lab::raw(&socket, head.as_bytes()).unwrap();
            reply.json()["case"].to_string()
        };
        let asked: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });
    assert!(
        opened
            .iter()
            .all(|case| case == &opened[0] && case.contains("c-")),
        "{opened:?}"
    );
    let all = node.ask(&["case", "list"])["cases"]
        .as_array()
        .map(Vec::len);
    assert_eq!(all, Some(1));
}
