//! Clients that send what no client should: each is told what is wrong, and harms nobody else.

use std::path::Path;
use std::time::Duration;

use node::admin::limits::DoorLimits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::house::{House, PATIENCE, usual};

/// Sends bytes as they are and reads the whole answer.
pub async fn ask(path: &Path, request: impl AsRef<[u8]>) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    // The node may close before all is written: then its answer says why.
    let _ = stream.write_all(request.as_ref()).await;
    answer(stream).await
}

async fn answer(mut stream: UnixStream) -> String {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let _ = tokio::time::timeout(PATIENCE, read)
        .await
        .expect("the node answers and closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn wrong_bodies_are_refused_with_what_is_wrong() {
    let house = House::open().await;
    for (body, status, says) in [
        (
            &b"{\"brief\": \"\xc3(\"}"[..],
            "400",
            "not UTF-8: the byte at offset 11",
        ),
        (b"{\"brief\": \"x\"", "400", "not JSON"),
        (b"{\"brief\": \"x\"} more", "400", "not JSON"),
        (
            b"{\"brief\": \"x\", \"tema\": \"sre\"}",
            "400",
            "did you mean `team`?",
        ),
        (
            b"{\"brief\": \"x\", \"team\": \"a/../b\"}",
            "400",
            "is not a name",
        ),
        (b"{\"brief\": \" \"}", "400", "the brief is empty"),
        (
            b"{\"brief\": \"x\", \"team\": \"nobody\"}",
            "404",
            "there is no team nobody",
        ),
    ] {
        let answer = ask(&house.path, post("/v1/cases", "", body)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains(says), "{says:?} is not in {answer}");
        assert!(answer.contains("\"code\":\""), "{answer}");
    }
    let deep = [
        br#"{"summary":"x","document":"#.as_slice(),
        &b"[".repeat(100_000),
    ]
    .concat();
    let answer = ask(
        &house.path,
        post("/v1/cases/c-1/stages/s/answer", "", &deep),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(
        answer.contains(r#""limit":{"name":"json_depth","max":128}"#),
        "{answer}"
    );
    let packed = post("/v1/cases", "content-encoding: gzip\r\n", b"\x1f\x8b");
    assert!(ask(&house.path, packed).await.starts_with("HTTP/1.1 415"));
    let bad_id = post("/v1/cases", "request-id: a b\r\n", b"{\"brief\":\"x\"}");
    assert!(ask(&house.path, bad_id).await.contains("header Request-Id"));
    house.client.status().await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn wrong_paths_are_refused_as_invalid() {
    let house = House::open().await;
    for path in [
        "/v1/cases/%ff",
        "/v1/cases/c-x",
        "/v1/cases?x=1",
        "/v1/workers/a/b%2Fc",
    ] {
        let answer = ask(
            &house.path,
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
        assert!(answer.contains("\"code\":\"invalid\""), "{path}: {answer}");
    }
    house.client.status().await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn what_is_no_http_is_closed_and_a_huge_head_is_refused() {
    let house = House::open().await;
    assert!(
        ask(&house.path, "\x16\x03\x01 hello\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 400")
    );
    let huge = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    assert!(ask(&house.path, huge).await.starts_with("HTTP/1.1 431"));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(1000));
    assert!(ask(&house.path, many).await.starts_with("HTTP/1.1 431"));
    house.client.status().await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_by_its_name_whether_announced_or_not() {
    let limits = DoorLimits {
        body_bytes: 64 << 10,
        blob_bytes: 1 << 20,
        ..usual()
    };
    let house = House::with(limits).await;
    let large = vec![b' '; 3 << 20];
    for (path, limit) in [("/v1/cases", "max_body_bytes"), ("/v1/blobs", "blob_bytes")] {
        let answer = ask(&house.path, post(path, "", &large)).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains(limit), "{answer}");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        let mut chunked = head.into_bytes();
        for _ in 0..48 {
            chunked.extend_from_slice(b"10000\r\n");
            chunked.extend_from_slice(&large[..0x10000]);
            chunked.extend_from_slice(b"\r\n");
        }
        chunked.extend_from_slice(b"0\r\n\r\n");
        let answer = ask(&house.path, chunked).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains(limit), "{answer}");
    }
    let refused = house.client.upload(vec![0u8; 2 << 20]).await.unwrap_err();
    assert_eq!(refused.exit_code(), 1, "{refused:?}");
    let left = std::fs::read_dir(house.folder.path().join("blobs/tmp"))
        .unwrap()
        .count();
    assert_eq!(left, 0, "a refused upload leaves nothing");
    house.close().await;
}

#[tokio::test]
async fn who_closes_half_the_socket_still_gets_the_answer() {
    let house = House::open().await;
    let mut stream = UnixStream::connect(&house.path).await.unwrap();
    stream
        .write_all(b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    assert!(answer(stream).await.starts_with("HTTP/1.1 200"));
    // A body that ends before its announced length is no command.
    let mut stream = UnixStream::connect(&house.path).await.unwrap();
    let half = &post("/v1/cases", "", &[b' '; 100])[..150];
    stream.write_all(half).await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(!answer(stream).await.starts_with("HTTP/1.1 20"));
    assert_eq!(house.ledger.read(|state| state.cases.len()), 0);
    house.close().await;
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up_and_its_place_is_free_again() {
    let limits = DoorLimits {
        body_standstill: Duration::from_millis(100),
        uploads: 1,
        ..usual()
    };
    let house = House::with(limits).await;
    for path in ["/v1/cases", "/v1/blobs"] {
        let mut slow = UnixStream::connect(&house.path).await.unwrap();
        let half = &post(path, "", &[b' '; 100])[..150];
        slow.write_all(half).await.unwrap();
        let answer = answer(slow).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("too_slow"), "{answer}");
    }
    house.client.upload(&b"x"[..]).await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn who_sends_no_head_is_closed_after_a_while() {
    let limits = DoorLimits {
        head_read: Duration::from_millis(200),
        ..usual()
    };
    let house = House::with(limits).await;
    let silent = UnixStream::connect(&house.path).await.unwrap();
    let mut begun = UnixStream::connect(&house.path).await.unwrap();
    begun.write_all(b"GET /v1/sta").await.unwrap();
    assert!(!answer(silent).await.starts_with("HTTP/1.1 200"));
    assert!(!answer(begun).await.starts_with("HTTP/1.1 200"));
    // A connection that was used is closed as well when it rests, and the client takes another.
    house.client.status().await.unwrap();
    let mut used = UnixStream::connect(&house.path).await.unwrap();
    used.write_all(b"GET /v1/clock HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(answer(used).await.starts_with("HTTP/1.1 200"));
    house.client.status().await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn uploads_and_bodies_have_room_for_so_many_only() {
    let limits = DoorLimits {
        uploads: 1,
        streams: 1,
        ..usual()
    };
    let house = House::with(limits).await;
    house.describe().await;
    house.submit("x").await;
    let mut slow = UnixStream::connect(&house.path).await.unwrap();
    slow.write_all(&post("/v1/blobs", "", &[0; 100])[..150])
        .await
        .unwrap();
    let full = async {
        loop {
            match house.client.upload(&b"x"[..]).await {
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => return error,
            }
        }
    };
    let refused = tokio::time::timeout(PATIENCE, full)
        .await
        .expect("the slow one has the place");
    assert!(refused.to_string().contains("uploads = 1"), "{refused}");
    drop(slow);
    let free = async {
        while house.client.upload(&b"x"[..]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, free)
        .await
        .expect("its place is given back");
    let watch = house.client.watch("c-1", 0).await.unwrap();
    let Err(refused) = house.client.watch("c-1", 0).await else {
        panic!("two streams")
    };
    assert!(refused.to_string().contains("streams = 1"), "{refused}");
    drop(watch);
    let status = house.client.status().await.unwrap();
    assert!(
        status.troubles.iter().any(|t| t.what.contains("uploads")),
        "{:?}",
        status.troubles
    );
    house.close().await;
}
