//! What no client would send: each is answered clearly, within bounds, and nothing is lost.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use lab::{Engine, Lab, Node, Team, raw, request, wait_until};

/// Memory that a node may take for all of this beyond what it had.
const GROWTH_LIMIT_BYTES: u64 = 128 << 20;
/// More than the door lets in at one time.
const CONNECTIONS: usize = 3000;

fn node(lab: &Lab) -> Node {
    let node = Node::start(lab, &Engine::Process);
    node.apply(&Team::of_one(lab, "crew").yaml()).ok();
    node
}

/// The node serves an honest client.
fn serves(node: &Node) {
    let case = node.submit("crew", "agent: cause calm");
    assert_eq!(node.wait_closed(&case)["report"]["root_cause"], "calm");
}

#[test]
fn requests_that_are_wrong_in_themselves_are_refused_with_what_to_do() {
    let lab = Lab::new();
    let node = node(&lab);
    let socket = node.socket();
    let wrong = [
        ("POST", "/v1/cases", "{", 400),
        ("POST", "/v1/cases", "[]", 400),
        ("POST", "/v1/cases", r#"{"team": "crew"}"#, 400),
        (
            "POST",
            "/v1/cases",
            r#"{"team": "crew", "brief": "x", "breif": "y"}"#,
            400,
        ),
        ("POST", "/v1/cases", "\u{0}\u{1}", 400),
        ("GET", "/v1/cases/c-999", "", 404),
        ("GET", "/v1/cases/../../etc/passwd", "", 404),
        ("GET", "/nowhere", "", 404),
        ("DELETE", "/v1/status", "", 405),
    ];
    for (method, path, body, status) in wrong {
        let reply = request(&socket, method, path, body).unwrap();
        assert_eq!(reply.status, status, "{method} {path} {body:?}: {reply:?}");
        let error = &reply.json()["error"];
        assert!(
            error["code"].is_string() && error["message"].is_string(),
            "{reply:?}"
        );
    }
    serves(&node);
}

#[test]
fn bytes_that_are_no_request_do_no_harm() {
    let lab = Lab::new();
    let node = node(&lab);
    let long = format!(
        "GET /v1/{} HTTP/1.1\r\nhost: x\r\n\r\n",
        "a".repeat(1 << 20)
    );
    let many = format!(
        "GET /v1/status HTTP/1.1\r\n{}\r\n",
        "x: y\r\n".repeat(100_000)
    );
    let broken: [&[u8]; 8] = [
        b"",
        b"\r\n\r\n",
        b"\xff\xfe\xfd\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/cases HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/cases HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ];
    for bytes in broken {
        let mut stream = UnixStream::connect(node.socket()).unwrap();
        // The node may close before it has read everything: that is an answer.
        stream.write_all(bytes).ok();
        stream.shutdown(std::net::Shutdown::Write).ok();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).ok();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    }
    serves(&node);
}

#[test]
fn wrong_utf8_in_a_body_is_named() {
    let lab = Lab::new();
    let node = node(&lab);
    let body = b"{\"team\": \"crew\", \"brief\": \"\xff\xfe\"}";
    let head = format!(
        "POST /v1/cases HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let reply = raw(&node.socket(), &[head.as_bytes(), body].concat()).unwrap();
    assert_eq!(reply.status, 400, "{reply:?}");
    serves(&node);
}

#[test]
fn a_body_that_is_too_large_is_refused_by_its_limit_and_fills_no_memory() {
    let lab = Lab::new();
    let node = node(&lab);
    let before = node.resident_bytes();
    let head = "POST /v1/cases HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: 1099511627776\r\n\r\n";
    let reply = raw(&node.socket(), head.as_bytes()).unwrap();
    assert_eq!(reply.status, 413, "{reply:?}");
    assert!(
        reply.json()["error"]["limit"]["name"].is_string(),
        "{reply:?}"
    );
    let grown = node.resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_LIMIT_BYTES, "{grown} bytes");
    serves(&node);
}

#[test]
fn thousands_of_silent_connections_are_refused_by_name_and_keep_nobody_out_for_long() {
    let lab = Lab::new();
    let timeout = [("admin.header_read_timeout_ms", "2s")];
    let node = Node::start_with(&lab, &Engine::Process, &timeout);
    node.apply(&Team::of_one(&lab, "crew").yaml()).ok();
    let before = node.resident_bytes();
    let silent: Vec<UnixStream> = (0..CONNECTIONS)
        .map_while(|_| UnixStream::connect(node.socket()).ok())
        .collect();
    let refused = request(&node.socket(), "GET", "/v1/status", "").unwrap();
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.json()["error"]["code"], "full", "{refused:?}");
    let patience = Duration::from_secs(20);
    wait_until(patience, "an honest client is let in", || {
        let answer = node.domo(&["case", "list"]);
        if answer.code == 0 {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    serves(&node);
    let grown = node.resident_bytes().saturating_sub(before);
    assert!(
        grown < GROWTH_LIMIT_BYTES,
        "{grown} bytes with {} connections",
        silent.len()
    );
}

#[test]
fn documents_with_mistakes_name_the_place_and_the_nearest_known_key() {
    let lab = Lab::new();
    let node = node(&lab);
    let answer = node
        .apply("kind: worker\nname: x\nteam: crew\ncomand: [x]\n")
        .refused();
    assert!(
        answer.stderr.contains("did you mean `command`?"),
        "{answer}"
    );
    assert!(answer.stderr.contains(":4:1"), "{answer}");
    let answer = node.apply("kind: team\nname: [\n").refused();
    assert!(!answer.stderr.is_empty(), "{answer}");
    serves(&node);
}
