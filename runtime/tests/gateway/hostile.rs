//! Requests of hostile agents: refused with the reason, and nothing of them leaves.

use runtime::gateway::Bounds;
use tokio::io::AsyncWriteExt as _;

use super::agent::Answer;
use super::house::{House, target};
use super::target::Counting;

#[tokio::test]
async fn only_the_attempts_own_token_opens_its_socket() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    house.runs(1).await;
    let own = house.agent(1);
    let mut other = own.clone();
    other.token = "0".repeat(64);
    let answer = other.ask("GET", "/pods", "").await;
    assert_eq!(
        (answer.status, answer.refused()),
        (401, "bad_token"),
        "{answer:?}"
    );
    house.supersede().await;
    house
        .until("attempt 2", |case| case.attempts.contains_key(&2))
        .await;
    house.runs(2).await;
    let next = house.agent(2);
    let mut forged = next.clone();
    forged.token.clone_from(&own.token);
    assert_eq!(forged.ask("GET", "/pods", "").await.refused(), "bad_token");
    assert_eq!(next.ask("GET", "/pods", "").await.status, 201);
    // The token of the one that is current does not help at the socket of the one that was.
    let mut late = own.clone();
    late.token.clone_from(&next.token);
    assert_eq!(late.ask("GET", "/pods", "").await.refused(), "bad_token");
    assert_eq!(counting.arrived().len(), 1);
}

#[tokio::test]
async fn what_is_no_honest_request_is_refused_and_nothing_of_it_leaves() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    house.runs(1).await;
    let agent = house.agent(1);
    let token = format!("authorization: Bearer {}\r\n", agent.token);
    let huge = format!("x-huge: {}\r\n", "h".repeat(200_000));
    let many = "x-many: 1\r\n".repeat(500);
    let requests = [
        format!("CONNECT mail.example:25 HTTP/1.1\r\nhost: x\r\n{token}\r\n"),
        format!(
            "GET http://127.0.0.1:{}/ HTTP/1.1\r\nhost: x\r\n{token}\r\n",
            counting.port
        ),
        format!("GET /targets/kube/../../etc HTTP/1.1\r\nhost: x\r\n{token}\r\n"),
        format!("GET /targets/kube/%2e%2e/x HTTP/1.1\r\nhost: x\r\n{token}\r\n"),
        format!("GET /pods HTTP/1.1\r\nhost: kube\r\n{token}\r\n"),
        format!("GET /targets/kube/a b HTTP/1.1\r\nhost: x\r\n{token}\r\n"),
        format!("GET /targets/kube/ HTTP/1.1\r\nhost: x\r\n{token}upgrade: h2c\r\n\r\n"),
        format!("GET /targets/kube/ HTTP/1.1\r\nhost: x\r\n{token}{huge}\r\n"),
        format!("GET /targets/kube/ HTTP/1.1\r\nhost: x\r\n{token}{many}\r\n"),
        format!("GET /targets/kube/ HTTP/1.1\r\nhost: x\r\n{token}x: a\x01b\r\n\r\n"),
        "GARBAGE\r\n\r\n".to_owned(),
        format!(
            "POST /targets/kube/ HTTP/1.1\r\nhost: x\r\n{token}content-length: 3\r\n\
             content-length: 5\r\n\r\nabcde"
        ),
        format!(
            "POST /targets/kube/ HTTP/1.1\r\nhost: x\r\n{token}transfer-encoding: gzip\r\n\r\nabc"
        ),
    ];
    for request in requests {
        let shown: String = request.chars().take(60).collect();
        let mut line = agent.line().await;
        let _ = line.write_all(request.as_bytes()).await;
        let _ = line.shutdown().await;
        let mut heard = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut line, &mut heard);
        let read = tokio::time::timeout(super::house::PATIENCE, read).await;
        assert!(read.is_ok(), "{shown}");
        let answer = Answer::read(&heard);
        assert!(
            (400..500).contains(&answer.status) || answer.status == 0,
            "{shown}: {answer:?}"
        );
    }
    assert_eq!(counting.arrived().len(), 0, "{:?}", counting.arrived());
    assert!(house.case().effects.is_empty());
}

#[tokio::test]
async fn a_request_in_a_requests_body_is_a_body() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    house.runs(1).await;
    let agent = house.agent(1);
    let inner = "DELETE /targets/kube/all HTTP/1.1\r\nhost: x\r\n\r\n";
    let request = format!(
        "PUT /targets/kube/done HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-length: 4\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
         {:x}\r\n{inner}\r\n0\r\n\r\n",
        agent.token,
        inner.len()
    );
    let answer = agent.say(request.as_bytes()).await;
    let arrived = counting.arrived();
    if answer.status < 400 {
        assert_eq!(arrived.len(), 1, "{arrived:?}");
        assert_eq!(arrived[0].body, inner);
        let length = inner.len().to_string();
        assert_eq!(
            arrived[0].header("content-length"),
            Some(length),
            "framed anew"
        );
    } else {
        assert!(arrived.is_empty(), "{arrived:?}");
    }
}

#[tokio::test]
async fn limits_are_refused_by_their_names() {
    let counting = Counting::open().await;
    let bounds = Bounds {
        connections_per_attempt: 2,
        body_bytes: 1_000,
        ..Bounds::default()
    };
    let house = House::bounded(target(counting.port), bounds).await;
    house.runs(1).await;
    let agent = house.agent(1);
    let large = "x".repeat(1_001);
    let answer = agent.ask("PUT", "/done", &large).await;
    assert_eq!(
        (answer.status, answer.refused()),
        (413, "limit"),
        "{answer:?}"
    );
    assert!(
        answer.body.contains("gateway.body_bytes = 1000"),
        "{answer:?}"
    );
    let (one, two) = (agent.line().await, agent.line().await);
    let deadline = runtime::clock::Deadline::after(super::house::PATIENCE);
    // The two are taken in one after the other; then there is no room.
    loop {
        let answer = agent.ask("GET", "/pods", "").await;
        if answer.status == 429 {
            assert_eq!(answer.json()["error"]["code"], "limit", "{answer:?}");
            break;
        }
        assert!(!deadline.is_over(), "{answer:?}");
    }
    drop((one, two));
}

#[tokio::test]
async fn a_target_that_is_not_there_or_not_for_the_team_is_refused_by_name() {
    let counting = Counting::open().await;
    let mut other = target(counting.port);
    other.teams.clear();
    let house = House::with(other).await;
    house.runs(1).await;
    let agent = house.agent(1);
    let answer = agent.ask("GET", "/", "").await;
    assert_eq!(
        (answer.status, answer.refused()),
        (403, "not_allowed"),
        "{answer:?}"
    );
    let request = agent.request("GET", "/targets/nowhere/", "", "");
    let answer = agent.say(request.as_bytes()).await;
    assert_eq!(
        (answer.status, answer.refused()),
        (404, "no_target"),
        "{answer:?}"
    );
}
