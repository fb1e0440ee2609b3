//! Targets and secrets over the socket: told, listed, tried, and never shown.

use std::collections::BTreeMap;

use node::admin::client::ClientError;
use node::admin::wire::{CheckTarget, Code, MethodClass, SetSecret, Target};

use super::house::House;

fn kube(address: &str) -> Target {
    Target {
        name: "kube".to_owned(),
        address: address.to_owned(),
        methods: BTreeMap::from([("GET".to_owned(), MethodClass::Read)]),
        teams: vec!["sre".to_owned()],
        needs_secret: true,
    }
}

fn code<T: std::fmt::Debug>(asked: Result<T, ClientError>) -> Code {
    match asked {
        Err(ClientError::Refused { refusal }) => refusal.error.code,
        other => panic!("{other:?} is no refusal"),
    }
}

#[tokio::test]
async fn a_target_is_told_once_listed_and_taken_away() {
    let house = House::open().await;
    let client = &house.client;
    let target = kube("http://127.0.0.1:1");
    for _ in 0..2 {
        client.put_target(&target, "w-1").await.unwrap();
    }
    assert_eq!(client.targets().await.unwrap().targets, [target]);
    for address in ["smtp://mail:25", "http://", "http://a b:1", "http://kube"] {
        let told = client.put_target(&kube(address), "w-2").await;
        assert_eq!(code(told), Code::Invalid, "{address}");
    }
    client.remove_target("kube", "w-3").await.unwrap();
    assert_eq!(
        code(client.remove_target("kube", "w-4").await),
        Code::NotFound
    );
    assert!(client.targets().await.unwrap().targets.is_empty());
    house.close().await;
}

#[tokio::test]
async fn a_secret_is_kept_by_this_node_and_never_shown() {
    let house = House::open().await;
    let client = &house.client;
    let target = kube("http://127.0.0.1:1");
    client.put_target(&target, "w-1").await.unwrap();
    let how = CheckTarget {
        path: "/".to_owned(),
    };
    let checked = client.check_target("kube", &how).await.unwrap();
    assert!(
        !checked.is_good && checked.findings[0].step == "secret",
        "{checked:?}"
    );
    let given = SetSecret {
        header: Some("X-Api-Key".to_owned()),
        secret: "crown-jewels".to_owned(),
    };
    let done = client.set_secret("kube", &given, "w-2").await.unwrap();
    let known = client.secrets().await.unwrap();
    assert_eq!(known.node, done.node);
    assert_eq!(known.secrets[0].header, "x-api-key");
    let shown = format!("{given:?} {known:?} {done:?}");
    assert!(!shown.contains("crown-jewels"), "{shown}");
    let checked = client.check_target("kube", &how).await.unwrap();
    let steps: Vec<_> = checked.findings.iter().map(|it| it.step.as_str()).collect();
    assert_eq!(steps, ["secret", "connection"], "{checked:?}");
    let empty = SetSecret {
        header: None,
        secret: "two\nlines".to_owned(),
    };
    assert_eq!(
        code(client.set_secret("kube", &empty, "w-3").await),
        Code::Invalid
    );
    client.remove_secret("kube", "w-4").await.unwrap();
    assert_eq!(
        code(client.remove_secret("kube", "w-5").await),
        Code::NotFound
    );
    house.close().await;
}
