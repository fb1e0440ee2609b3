//! Daemons that die in the middle: what the client says of it.

use node::admin::client::{Client, ClientError};
use node::admin::wire::{Consistency, OpenCase};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

use super::house::House;

/// Answers each connection with these bytes once something was asked, and closes it; counts them.
async fn daemon(listener: UnixListener, answer: &'static str, connections: usize) {
    for _ in 0..connections {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 4096];
        let _ = stream.read(&mut asked).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn a_command_whose_answer_is_lost_is_said_once_more_and_then_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    for answer in ["", "HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{"] {
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let times = if answer.is_empty() { 2 } else { 1 };
        let daemon = tokio::spawn(daemon(listener, answer, times));
        let case = OpenCase {
            brief: "x".to_owned(),
            ..OpenCase::default()
        };
        let error = Client::new(&path)
            .open_case(&case, "mine@7")
            .await
            .unwrap_err();
        let ClientError::Unknown { request_id, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(request_id.as_deref(), Some("mine@7"));
        assert_eq!(error.exit_code(), 4);
        assert!(error.hint().unwrap().contains("--request-id mine@7"));
        daemon.await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_not_understood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]";
    let daemon = tokio::spawn(daemon(listener, answer, 1));
    let error = Client::new(&path).status().await.unwrap_err();
    assert!(
        matches!(error, ClientError::NotUnderstood { .. }),
        "{error:?}"
    );
    daemon.await.unwrap();
}

#[tokio::test]
async fn a_daemon_that_was_restarted_is_found_again_by_the_same_client() {
    let house = House::open().await;
    house.describe().await;
    house.submit("x").await;
    let (client, ledger) = (house.client.clone(), house.ledger.clone());
    let house = house.reopened().await;
    assert_eq!(
        client
            .case("c-1", Consistency::default())
            .await
            .unwrap()
            .line
            .id,
        "c-1"
    );
    assert_eq!(ledger.read(|state| state.cases.len()), 1);
    house.close().await;
}
