//! How a newcomer becomes a node, and who does not.

use runtime::links::{Fingerprint, JoinError, JoinToken, Keys, Newcomer, Refusal, ask};

use crate::house::{House, Node, introduce};

fn token(house: &House, addresses: &[&str]) -> JoinToken {
    let keys = Keys::open(&house.keys_of(1)).unwrap();
    let addresses = addresses
        .iter()
        .map(|address| (*address).to_owned())
        .collect();
    JoinToken::new(keys.fingerprint(), addresses).unwrap()
}

fn newcomer(name: &str) -> Newcomer {
    Newcomer::new(name, "0.1.0", "127.0.0.1:7400").unwrap()
}

#[tokio::test]
async fn a_newcomer_with_a_token_becomes_a_node_that_is_linked() {
    let house = House::found("alpha");
    let mut first = house.start(1, 1);
    // Where nobody listens, the next address is asked.
    let token = token(&house, &["127.0.0.1:1", &first.address]);
    let text = token.to_string();
    let token = JoinToken::parse(&text).unwrap();
    let admission = ask(&token, &newcomer("host-7")).await.unwrap();
    assert_eq!(admission.node.0, 7);
    assert_eq!(admission.cluster, house.cluster);
    assert_eq!(
        admission.peers.values().collect::<Vec<_>>(),
        [&first.address]
    );
    let dir = house.keys_of(7);
    let kept = Keys::keep(&dir, &admission).unwrap();
    assert_eq!(kept.fingerprint(), token.fingerprint());
    let mut second = Node::start(7, &dir, 1, "127.0.0.1:0", &[]);
    introduce(&mut first, &mut second);
    assert_eq!(first.tell("call 7 500 hello"), "n-1 says hello");
    // It can let others in as the first can.
    let later = self::token(&house, &[&second.address]);
    assert_eq!(ask(&later, &newcomer("host-8")).await.unwrap().node.0, 8);
}

#[tokio::test]
async fn a_newcomer_that_the_gate_refuses_is_told_why() {
    let house = House::found("alpha");
    let first = house.start(1, 1);
    let refused = ask(&token(&house, &[&first.address]), &newcomer("guest")).await;
    let Err(JoinError::Refused(why)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(why, "such a name is not let in");
}

#[tokio::test]
async fn a_newcomer_says_nothing_to_another_cluster_than_the_tokens() {
    let house = House::found("alpha");
    let first = house.start(1, 1);
    let addresses = vec![first.address.clone()];
    let token = JoinToken::new(Fingerprint([7; 32]), addresses).unwrap();
    let refused = ask(&token, &newcomer("host-7")).await;
    let Err(JoinError::Distrusted { why, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(why, Refusal::WrongAuthority);
}

#[tokio::test]
async fn a_newcomer_that_reaches_nobody_says_where_it_asked() {
    let house = House::found("alpha");
    let refused = ask(&token(&house, &["127.0.0.1:1"]), &newcomer("host-7")).await;
    let Err(JoinError::NoAnswer(why)) = refused else {
        panic!("{refused:?}");
    };
    assert!(why.starts_with("127.0.0.1:1: "), "{why}");
}

#[test]
fn keys_are_whole_and_nobody_elses() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::found("alpha");
    let dir = house.keys_of(1);
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let file = dir.join("node.keys");
    assert_eq!(mode(&file), 0o600);
    let (cluster, node) = (house.cluster.clone(), rules::id::NodeId(1));
    assert!(
        Keys::found(&dir, &cluster, node).is_err(),
        "keys are not made twice"
    );
    let shown = format!("{:?}", Keys::open(&dir).unwrap());
    assert!(
        !shown.contains("cookie") && !shown.contains("key:"),
        "{shown}"
    );
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error = Keys::open(&dir).unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
}

#[test]
fn a_certificate_is_renewed_only_when_it_is_due() {
    let house = House::found("alpha");
    let keys = Keys::open(&house.keys_of(1)).unwrap();
    assert!(!keys.renew_if_due().unwrap());
    let now_s = runtime::clock::wall().0 / 1000;
    let due = runtime::links::Validity {
        from_s: now_s - 80,
        until_s: now_s + 20,
    };
    keys.renew(due).unwrap();
    assert!(keys.renew_if_due().unwrap());
    let again = Keys::open(&house.keys_of(1)).unwrap();
    assert_eq!(again.validity(), keys.validity());
    assert!(again.validity().until_s > now_s + 80 * 86_400);
}

#[tokio::test]
async fn a_node_that_has_moved_is_found_at_a_seed_and_another_node_there_is_not_taken_for_it() {
    let house = House::found("alpha");
    let (first, third) = (house.start(1, 1), house.start(3, 1));
    let seeded = format!("127.0.0.1:0 {} {}", third.address, first.address);
    let mut second = house.start_at(2, 1, &seeded, &[]);
    // Nobody is there any more.
    second.know(&[(1, "127.0.0.1:1")]);
    second.wait_link(1, true);
    assert_eq!(second.tell("call 1 500 hello"), "n-2 says hello");
}
