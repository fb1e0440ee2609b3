//! Long answers: watching a case and following logs.

use node::admin::client::Lines;
use node::admin::wire::{
    CancelCase, CaseStatus, LogLine, LogQuery, LogStream, WatchEvent, WorkerLogQuery,
};
use rules::Command;
use rules::attempt::{AttemptOutcome, Body};
use rules::command::Progress;
use rules::id::{AttemptId, CaseId};
use runtime::spool::AttemptName;
use serde::de::DeserializeOwned;

use super::house::{House, PATIENCE, report, result};

async fn next<T: DeserializeOwned>(lines: &mut Lines<T>) -> Option<T> {
    tokio::time::timeout(PATIENCE, lines.next())
        .await
        .expect("a line comes")
        .unwrap()
}

/// Reads on to the event that is wanted; answers all before it, too.
async fn until(
    lines: &mut Lines<WatchEvent>,
    wanted: impl Fn(&WatchEvent) -> bool,
) -> Vec<WatchEvent> {
    let mut seen = Vec::new();
    loop {
        let event = next(lines)
            .await
            .unwrap_or_else(|| panic!("it ended before: {seen:#?}"));
        let is_wanted = wanted(&event);
        seen.push(event);
        if is_wanted {
            return seen;
        }
    }
}

fn kind(event: &WatchEvent, wanted: &str) -> bool {
    matches!(event, WatchEvent::History(line) if line.kind == wanted)
}

/// A case whose one attempt runs in a container of the test's own.
async fn running(house: &House) -> (CaseId, AttemptId, std::path::PathBuf, std::path::PathBuf) {
    house.describe().await;
    let spool = house.container("sre/looker");
    let case = house.submit("look").await;
    house.plan(case).await;
    let attempt = AttemptId { case, number: 1 };
    let name = AttemptName::new(&format!("c{}-1", case.0)).unwrap();
    spool.prepare(&name, &[]).unwrap();
    let (out, run) = (spool.out_folder(&name), spool.run_folder(&name));
    house
        .work(
            attempt,
            Command::AdvanceAttempt {
                attempt,
                to: Progress::Running,
            },
        )
        .await;
    (case, attempt, out, run)
}

#[tokio::test]
async fn a_watched_case_is_told_as_it_happens_and_to_its_end() {
    let house = House::open().await;
    let (case, attempt, out, _) = running(&house).await;
    let mut lines = house.client.watch("c-1", 0).await.unwrap();
    let seen = until(&mut lines, |event| kind(event, "started")).await;
    assert!(kind(&seen[0], "opened"), "{seen:#?}");
    until(&mut lines, |event| {
        matches!(
            event,
            WatchEvent::Status {
                status: CaseStatus::Running,
                ..
            }
        )
    })
    .await;
    std::fs::write(out.join("progress.log"), "one third\n").unwrap();
    let seen = until(&mut lines, |event| {
        matches!(event, WatchEvent::Progress { .. })
    })
    .await;
    let said = WatchEvent::Progress {
        attempt: "c-1.1".to_owned(),
        stage: "look".to_owned(),
        text: "one third".to_owned(),
    };
    assert_eq!(seen.last(), Some(&said));
    std::fs::write(out.join("progress.log"), "one third\nready\n").unwrap();
    let outcome = AttemptOutcome::Succeeded(result("found", None));
    house
        .work(attempt, Command::FinishAttempt { attempt, outcome })
        .await;
    let seen = until(&mut lines, |event| kind(event, "done")).await;
    let last_words = seen
        .iter()
        .any(|event| matches!(event, WatchEvent::Progress { text, .. } if text == "ready"));
    assert!(
        last_words,
        "what it said last comes before its end: {seen:#?}"
    );
    house
        .report(
            case,
            report(Body::Inline("{}".into()), Body::Inline("x".into())),
        )
        .await;
    let seen = until(&mut lines, |event| {
        matches!(event, WatchEvent::Closed { .. })
    })
    .await;
    let Some(WatchEvent::Closed { case }) = seen.last() else {
        panic!()
    };
    assert_eq!(case.report.as_ref().unwrap().summary, "it was the disk");
    assert!(
        next(&mut lines).await.is_none(),
        "nothing comes after the end"
    );
    let mut late = house.client.watch("c-1", 0).await.unwrap();
    let seen = until(&mut late, |event| {
        matches!(event, WatchEvent::Closed { .. })
    })
    .await;
    assert!(kind(&seen[0], "opened"), "a closed case is told as well");
    house.close().await;
}

#[tokio::test]
async fn who_comes_back_goes_on_where_it_was() {
    let house = House::open().await;
    house.describe().await;
    house.submit("look").await;
    let mut lines = house.client.watch("c-1", 0).await.unwrap();
    let WatchEvent::History(opened) = next(&mut lines).await.unwrap() else {
        panic!()
    };
    drop(lines);
    house
        .client
        .cancel_case("c-1", &CancelCase::default(), &house.id().await)
        .await
        .unwrap();
    let mut lines = house.client.watch("c-1", opened.index).await.unwrap();
    let first = next(&mut lines).await.unwrap();
    assert!(kind(&first, "cancelled"), "{first:?}");
    assert!(
        house.client.watch("c-2", 0).await.is_err(),
        "there is no such case"
    );
    drop(lines);
    house.close().await;
}

#[tokio::test]
async fn a_stopping_daemon_says_so_in_its_streams() {
    let house = House::open().await;
    house.describe().await;
    house.submit("look").await;
    let mut lines = house.client.watch("c-1", 0).await.unwrap();
    until(&mut lines, |event| {
        matches!(event, WatchEvent::Status { .. })
    })
    .await;
    house.stop();
    until(&mut lines, |event| {
        matches!(event, WatchEvent::Ended { .. })
    })
    .await;
    assert!(next(&mut lines).await.is_none());
    house.close().await;
}

async fn text_of(lines: &mut Lines<LogLine>, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        let line = next(lines)
            .await
            .unwrap_or_else(|| panic!("it ended before: {text}"));
        text.push_str(&line.text);
    }
    text
}

#[tokio::test]
async fn logs_are_what_the_agent_wrote_and_are_followed_to_its_end() {
    let house = House::open().await;
    let (_, attempt, _, run) = running(&house).await;
    std::fs::write(run.join("stdout.log"), "hello ü\n").unwrap();
    std::fs::write(run.join("stderr.log"), b"bad \xff byte\n").unwrap();
    let mut lines = house
        .client
        .case_log("c-1", &LogQuery::default())
        .await
        .unwrap();
    let (first, second) = (
        next(&mut lines).await.unwrap(),
        next(&mut lines).await.unwrap(),
    );
    assert_eq!(
        (first.stream, first.text.as_str()),
        (LogStream::Stdout, "hello ü\n")
    );
    assert_eq!(
        (second.stream, second.text.as_str()),
        (LogStream::Stderr, "bad \u{fffd} byte\n")
    );
    assert_eq!(first.stage.as_deref(), Some("look"));
    assert!(next(&mut lines).await.is_none(), "it is not followed");

    let follow = LogQuery {
        attempt: Some(1),
        follow: true,
    };
    let mut lines = house.client.case_log("c-1", &follow).await.unwrap();
    text_of(&mut lines, "byte").await;
    std::fs::write(run.join("stdout.log"), "hello ü\nmore\n").unwrap();
    text_of(&mut lines, "more").await;
    let outcome = AttemptOutcome::Failed {
        reason: "exit 1".to_owned(),
    };
    house
        .work(attempt, Command::FinishAttempt { attempt, outcome })
        .await;
    assert!(next(&mut lines).await.is_none(), "its attempt is over");

    let follow = WorkerLogQuery { follow: true };
    let mut lines = house
        .client
        .worker_log("sre", "looker", &follow)
        .await
        .unwrap();
    text_of(&mut lines, "more").await;
    let missing = LogQuery {
        attempt: Some(9),
        follow: false,
    };
    assert!(house.client.case_log("c-1", &missing).await.is_err());
    drop(lines);
    house.close().await;
}

#[tokio::test]
async fn what_is_gone_is_said_and_not_left_out() {
    let house = House::open().await;
    house.describe().await;
    let case = house.submit("look").await;
    house.plan(case).await;
    let cancel = CancelCase::default();
    house
        .client
        .cancel_case("c-1", &cancel, &house.id().await)
        .await
        .unwrap();
    let mut lines = house
        .client
        .case_log("c-1", &LogQuery::default())
        .await
        .unwrap();
    let line = next(&mut lines).await.unwrap();
    assert_eq!(
        (line.stream, line.text.as_str()),
        (LogStream::Note, "nothing is left here of attempt c-1.1\n")
    );
    assert!(next(&mut lines).await.is_none());
    let query = WorkerLogQuery::default();
    let mut lines = house
        .client
        .worker_log("sre", "looker", &query)
        .await
        .unwrap();
    assert!(
        next(&mut lines)
            .await
            .unwrap()
            .text
            .contains("no container here")
    );
    house.close().await;
}
