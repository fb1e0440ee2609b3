//! Who is refused, and that both ends can say why.

use runtime::links::Keys;
use rustls::version;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::child::RENEWAL_MS;
use crate::house::{House, Node, introduce, two_linked, wait_until};
use crate::stranger::{Errand, Kept, Stranger, hear, say};

/// A node that has refused somebody says so, by the reason's name.
fn wait_refusal(node: &mut Node, reason: &str) {
    wait_until(reason, || {
        let refusals = node.tell("refusals");
        (refusals.contains(reason), refusals)
    });
}

/// A node whose link with a peer fails says why.
fn wait_error(node: &mut Node, reason: &str) {
    wait_until(reason, || {
        let status = node.tell("status");
        (status.contains(reason), status)
    });
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused() {
    let house = House::found("alpha");
    let mut node = house.start(1, 1);
    let stranger = Stranger::with(&house.join(2));
    let mut tls = stranger.connect(&node.address).await.unwrap();
    say(&mut tls, 1, b"nonsense").await.unwrap();
    assert_eq!(hear(&mut tls).await.unwrap(), 13);
    wait_refusal(&mut node, "Malformed: 1");
}

#[tokio::test]
async fn an_older_tls_is_refused() {
    let house = House::found("alpha");
    let mut node = house.start(1, 1);
    let mut stranger = Stranger::with(&house.join(2));
    stranger.version = &version::TLS12;
    let refused = stranger.greet(&node.address).await.unwrap_err();
    assert!(refused.to_string().contains("ProtocolVersion"), "{refused}");
    wait_refusal(&mut node, "OldTls: 1");
}

#[tokio::test]
async fn seventeen_newcomers_at_once_are_one_too_many() {
    let house = House::found("alpha");
    let mut node = house.start(1, 1);
    let mut stranger = Stranger::with(&house.join(2));
    stranger.hello.errand = Errand::Join;
    stranger.shows_certificate = false;
    let hello = runtime::codec::Form {
        kind: 41,
        version: 1,
    };
    let hello = runtime::codec::encode(hello, &stranger.hello).unwrap();
    let mut there = Vec::new();
    for code in [[0; 16].as_slice(), &[15]].concat() {
        let mut tls = stranger.connect(&node.address).await.unwrap();
        say(&mut tls, 1, &hello).await.unwrap();
        assert_eq!(hear(&mut tls).await.unwrap(), code);
        there.push(tls);
    }
    wait_refusal(&mut node, "Full: 1");
}

#[test]
fn a_node_of_another_authority_is_refused_and_told_so() {
    let (house, other) = (House::found("alpha"), House::found("alpha"));
    let mut first = house.start(1, 1);
    let mut second = other.start(2, 1);
    // The dialler finds it out by itself; both have one name and one number.
    second.know(&[(1, &first.address)]);
    wait_error(&mut second, "signed by another authority");
    // The listener too: whoever trusts both shows a certificate of the other one.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut stranger = Stranger::with(&house.join(2));
        let foreign = Kept::read(&other.keys_of(2));
        stranger.kept.show_keys_of(&foreign);
        let refused = stranger.greet(&first.address).await.unwrap_err();
        assert!(refused.to_string().contains("alert"), "{refused}");
    });
    wait_refusal(&mut first, "WrongAuthority");
}

#[test]
fn a_certificate_that_has_expired_is_refused_and_its_node_is_told() {
    let house = House::found("alpha");
    let (mut first, mut second) = (house.start(1, 1), house.start(2, 1));
    second.tell("renew -1000 -10");
    second.know(&[(1, &first.address)]);
    wait_error(
        &mut second,
        "it refused this node: its certificate has expired",
    );
    wait_refusal(&mut first, "Expired");
    // Renewed without a restart, it is let in.
    second.tell("renew -1000 1000");
    second.wait_link(1, true);
}

#[test]
fn a_certificate_is_renewed_while_its_node_runs_and_before_it_expires() {
    let house = House::found("alpha");
    let often = format!("{RENEWAL_MS}=50");
    let mut first = house.start(1, 1);
    let mut second = house.start_at(2, 1, "127.0.0.1:0", &["env", &often]);
    introduce(&mut first, &mut second);
    // Four seconds of ten are left, and in a second it is due.
    second.tell("renew -6 4");
    let keys = house.keys_of(2);
    let weeks_s = runtime::clock::wall().0 / 1000 + 80 * 86_400;
    wait_until("a new certificate is kept", || {
        let until_s = Keys::open(&keys).unwrap().validity().until_s;
        (until_s > weeks_s, format!("it ends at {until_s}"))
    });
    // The link that is open stays, and the next handshake is made with the new one.
    assert!(second.tell("status").contains("n-1=up"));
    first.leave();
    second.wait_link(1, false);
    let mut first = house.start(1, 2);
    introduce(&mut first, &mut second);
}

#[test]
fn a_certificate_that_is_not_valid_yet_is_refused() {
    let house = House::found("alpha");
    let (mut first, mut second) = (house.start(1, 1), house.start(2, 1));
    second.tell("renew 1000 2000");
    second.know(&[(1, &first.address)]);
    wait_refusal(&mut first, "NotYetValid");
    assert!(second.tell("status").contains("n-1=down"));
}

#[test]
fn a_listener_with_a_bad_certificate_is_not_trusted() {
    let house = House::found("alpha");
    let (mut first, mut second) = (house.start(1, 1), house.start(2, 1));
    first.tell("renew 1000 2000");
    second.know(&[(1, &first.address)]);
    wait_error(
        &mut second,
        "this node does not speak to it: its certificate is not valid yet",
    );
    first.tell("renew -2000 -1000");
    wait_error(
        &mut second,
        "this node does not speak to it: its certificate has expired",
    );
}

#[test]
fn a_node_that_is_not_the_one_that_was_dialled_is_not_trusted() {
    let house = House::found("alpha");
    let (first, mut third) = (house.start(2, 1), house.start(3, 1));
    // Where node 1 should be, there is node 2.
    third.know(&[(1, &first.address)]);
    wait_error(&mut third, "its certificate is another node's");
}

#[test]
fn a_removed_node_is_refused_and_cut_off() {
    let house = House::found("alpha");
    let (mut first, mut second) = two_linked(&house);
    assert_eq!(first.tell("refuse 2"), "refused");
    second.wait_link(1, false);
    wait_error(&mut second, "it was removed from the cluster");
    assert!(
        second
            .tell("connect 1 lease")
            .contains("removed from the cluster")
    );
    wait_refusal(&mut first, "Removed");
}

#[test]
fn a_node_with_another_cookie_gets_no_session() {
    let house = House::found("alpha");
    let dir = house.join(2);
    let mut kept = Kept::read(&dir);
    kept.cookie = "something else".to_owned();
    kept.write(&dir);
    let (first, mut second) = (house.start(1, 1), house.start(2, 1));
    second.know(&[(1, &first.address)]);
    wait_error(&mut second, "it refused the session");
}

#[test]
fn an_older_start_of_a_node_that_runs_on_is_refused() {
    let house = House::found("alpha");
    let (mut first, second) = (house.start(1, 1), house.start(2, 2));
    let mut older = house.start(2, 1);
    first.know(&[(2, &second.address)]);
    let mut second = second;
    second.know(&[(1, &first.address)]);
    second.wait_link(1, true);
    older.know(&[(1, &first.address)]);
    wait_error(&mut older, "it is an older incarnation of its node");
    assert!(second.tell("call 1 500 hello").contains("n-2 says hello"));
}

#[tokio::test]
async fn a_stranger_who_sends_no_tls_gets_nothing() {
    let house = House::found("alpha");
    let mut node = house.start(1, 1);
    let mut socket = TcpStream::connect(&node.address).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    wait_refusal(&mut node, "Malformed: 1");
}
