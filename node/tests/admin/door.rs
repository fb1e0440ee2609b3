//! The door: thousands of connections, shares, and what the excess is told.

use std::time::Duration;

use node::admin::limits::DoorLimits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::hostile::ask;
use super::house::{House, PATIENCE, usual};

const STATUS: &str = "GET /v1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn the_excess_is_told_the_limits_name_at_once_and_room_comes_back() {
    let house = House::with(DoorLimits {
        connections: 8,
        per_user: 4,
        ..usual()
    })
    .await;
    drop(house.client.status().await.unwrap());
    let mut held = Vec::new();
    // One of the user's share may still be the client's own.
    while held.len() < 4 {
        held.push(UnixStream::connect(&house.path).await.unwrap());
    }
    let answer = tokio::time::timeout(Duration::from_secs(5), ask(&house.path, STATUS)).await;
    let answer = answer.expect("it is told at once");
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("connections_per_user = 4"), "{answer}");
    drop(held);
    let again = async {
        while !ask(&house.path, STATUS).await.starts_with("HTTP/1.1 200") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, again)
        .await
        .expect("there is room again");
    house.close().await;

    let house = House::with(DoorLimits {
        connections: 2,
        per_user: 100,
        ..usual()
    })
    .await;
    let held = [
        UnixStream::connect(&house.path).await.unwrap(),
        UnixStream::connect(&house.path).await.unwrap(),
    ];
    let answer = ask(&house.path, STATUS).await;
    assert!(answer.contains("max_connections = 2"), "{answer}");
    drop(held);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_silent_connections_cost_an_honest_client_nothing() {
    let files = node::admin::limits::open_files();
    let silent = usize::try_from(files / 4).unwrap().min(2000);
    let limits = DoorLimits {
        connections: 2 * silent,
        per_user: 2 * silent,
        ..usual()
    };
    let house = House::with(limits).await;
    let mut held = Vec::new();
    for number in 0..silent {
        let mut stream = UnixStream::connect(&house.path).await.unwrap();
        if number % 2 == 0 {
            stream
                .write_all(b"POST /v1/cases HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
                .await
                .unwrap();
        }
        held.push(stream);
    }
    house.describe().await;
    for number in 1..=20u64 {
        assert_eq!(house.submit("x").await.0, number);
    }
    drop(held);
    house.close().await;
}

#[tokio::test]
async fn a_flood_beyond_what_can_be_told_is_refused_in_passing() {
    let house = House::with(DoorLimits {
        connections: 1,
        per_user: 1,
        ..usual()
    })
    .await;
    let held = UnixStream::connect(&house.path).await.unwrap();
    let mut flood = Vec::new();
    for _ in 0..node::admin::limits::TOLD_REFUSALS + 20 {
        flood.push(UnixStream::connect(&house.path).await.unwrap());
    }
    let mut last = flood.pop().unwrap();
    let mut answer = String::new();
    let read = last.read_to_string(&mut answer);
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("it is closed at once")
        .unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("\"code\":\"full\""),
        "{answer}"
    );
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    serde_json::from_str::<node::admin::wire::ErrorBody>(body).unwrap();
    drop((held, flood));
    house.close().await;
}
