//! Lines to agents that are not, or no longer, current: refused and cut.

use rules::Principal;
use rules::command::Command;
use rules::effect::EffectStatus;
use rules::id::HumanName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::agent::Agent;
use super::house::{CASE, House, PATIENCE, target};
use super::target::Counting;

/// A line over which the beginning of an endless answer has come.
async fn streaming(agent: &Agent) -> UnixStream {
    let mut line = agent.line().await;
    let request = agent.request("GET", "/targets/kube/stream", "", "");
    line.write_all(request.as_bytes()).await.unwrap();
    let (mut heard, mut piece) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&heard).contains("hello") {
        let read = tokio::time::timeout(PATIENCE, line.read(&mut piece)).await;
        let count = read.unwrap().unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&piece[..count]);
    }
    line
}

async fn is_cut(mut line: UnixStream) {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(PATIENCE, line.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "the line stays open");
    let rest = String::from_utf8_lossy(&rest).into_owned();
    assert!(!rest.contains("0\r\n\r\n"), "it was cut, not ended: {rest}");
}

#[tokio::test]
async fn a_superseded_attempt_is_cut_and_refused() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    house.runs(1).await;
    let agent = house.agent(1);
    let line = streaming(&agent).await;
    house.supersede().await;
    is_cut(line).await;
    counting.until_cut(1).await;
    let answer = agent.ask("GET", "/pods", "").await;
    assert_eq!(
        (answer.status, answer.refused()),
        (403, "not_current"),
        "{answer:?}"
    );
    assert!(answer.body.contains("superseded"), "{answer:?}");
    assert_eq!(counting.arrived().len(), 1);
}

#[tokio::test]
async fn a_cancelled_case_cuts_its_attempts() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    house.runs(1).await;
    let agent = house.agent(1);
    let line = streaming(&agent).await;
    let cancel = Command::CancelCase {
        case: CASE,
        reason: "enough".to_owned(),
    };
    house
        .say(Principal::human(HumanName::new("admin").unwrap()), cancel)
        .await;
    is_cut(line).await;
    assert_eq!(agent.ask("GET", "/pods", "").await.refused(), "not_current");
}

#[tokio::test]
async fn a_node_without_its_lease_cuts_and_refuses_and_says_so() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    house.runs(1).await;
    let agent = house.agent(1);
    let line = streaming(&agent).await;
    house.isolate().await;
    is_cut(line).await;
    for method in ["GET", "PUT", "POST"] {
        let answer = agent.ask(method, "/done", "").await;
        assert_eq!(
            (answer.status, answer.refused()),
            (503, "isolated"),
            "{answer:?}"
        );
        assert!(
            answer.json()["error"]["message"]
                .as_str()
                .is_some_and(|m| m.contains("lease"))
        );
    }
    assert_eq!(counting.arrived().len(), 1);
    assert!(house.case().effects.is_empty());
}

#[tokio::test]
async fn what_was_sent_before_its_attempt_was_superseded_is_kept_as_evidence() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    let agent = house.agent(1);
    let asking = tokio::spawn(async move { agent.ask("POST", "/hold", "").await });
    counting.until_arrived(1).await;
    house.supersede().await;
    // Its agent is told at once.
    let answer = tokio::time::timeout(PATIENCE, asking).await;
    let answer = answer.unwrap().unwrap();
    assert_eq!(
        (answer.status, answer.refused()),
        (403, "not_current"),
        "{answer:?}"
    );
    counting.go_on();
    let case = house
        .until("told late", |case| {
            let effect = case.effects.values().next();
            effect.is_some_and(|effect| matches!(effect.status, EffectStatus::Done { .. }))
        })
        .await;
    assert!(
        case.stages[0].parked.is_none(),
        "a late answer settles it: {case:#?}"
    );
}
