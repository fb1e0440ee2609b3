//! Whoever is not who they say, one row for each way: all are refused, each refusal is counted by its
//! reason and told with the host that it came from, and an honest node is let in after them all.

use std::path::PathBuf;

use runtime::clock;
use runtime::links::{Keys, Validity};
use rustls::version;

use crate::house::{House, Node, introduce, wait_until};
use crate::stranger::{Errand, Kept, Stranger};

/// A way to be somebody else: what it is called, by which reason it is refused, by which number it is
/// answered where TLS does not end it, and how it is done.
type Row = (
    &'static str,
    &'static str,
    Option<u8>,
    fn(&mut Stranger, &Kept),
);

const ROWS: [Row; 14] = [
    (
        "a node of another authority",
        "WrongAuthority",
        None,
        |stranger, foreign| {
            stranger.kept.show_keys_of(foreign);
        },
    ),
    (
        "a certificate that signed itself",
        "Malformed",
        None,
        |stranger, foreign| {
            stranger.kept.show_authority_of(foreign);
        },
    ),
    (
        "a certificate that has expired",
        "Expired",
        None,
        |stranger, _| {
            *stranger = Stranger::with(&renewed(stranger, -1000, -10));
        },
    ),
    (
        "a certificate that is not valid yet",
        "NotYetValid",
        None,
        |stranger, _| {
            *stranger = Stranger::with(&renewed(stranger, 1000, 2000));
        },
    ),
    (
        "another node's certificate",
        "WrongNode",
        Some(4),
        |stranger, _| {
            stranger.hello.from = 3;
        },
    ),
    (
        "the number of the node that is asked",
        "WrongNode",
        Some(4),
        |stranger, _| {
            stranger.hello.from = 1;
        },
    ),
    (
        "a hello that was said by an earlier start",
        "OldIncarnation",
        Some(6),
        |stranger, _| {
            stranger.hello.incarnation = 0;
        },
    ),
    ("an older TLS", "OldTls", None, |stranger, _| {
        stranger.version = &version::TLS12;
    }),
    ("no certificate", "NoCertificate", Some(5), |stranger, _| {
        stranger.shows_certificate = false;
    }),
    (
        "an older protocol",
        "OldProtocol",
        Some(7),
        |stranger, _| {
            stranger.protocol = 0;
        },
    ),
    (
        "an older protocol of one who would join",
        "OldProtocol",
        Some(7),
        |stranger, _| {
            stranger.shows_certificate = false;
            stranger.hello.errand = Errand::Join;
            stranger.protocol = 0;
        },
    ),
    ("a newer protocol", "NewProtocol", Some(8), |stranger, _| {
        stranger.protocol = 2;
    }),
    (
        "another cluster",
        "WrongCluster",
        Some(10),
        |stranger, _| {
            "beta".clone_into(&mut stranger.hello.cluster);
        },
    ),
    (
        "a hello for another node",
        "NotMeant",
        Some(12),
        |stranger, _| {
            stranger.hello.to = 7;
        },
    ),
];

/// The keys of the stranger's node in a folder of their own, with a certificate for another time.
fn renewed(stranger: &Stranger, from_s: i64, until_s: i64) -> PathBuf {
    let dir = tempfile::tempdir().unwrap().keep();
    stranger.kept.write(&dir);
    let now_s = (clock::wall().0 / 1000).cast_signed();
    let at = |later_s: i64| (now_s + later_s).cast_unsigned();
    let (from_s, until_s) = (at(from_s), at(until_s));
    let keys = Keys::open(&dir).unwrap();
    keys.renew(Validity { from_s, until_s }).unwrap();
    dir
}

/// How often the node has refused for this reason.
fn count(node: &mut Node, reason: &str) -> u64 {
    let refusals = node.tell("refusals");
    let found = refusals.split_once(&format!("{reason}: "));
    let digits = found.map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit));
    digits.map_or(0, |digits| digits.collect::<String>().parse().unwrap())
}

/// Waits until the node counts one more, and tells the host.
fn is_recorded(node: &mut Node, before: u64, how: &str, reason: &str) {
    let mut told = String::new();
    wait_until(how, || {
        told.push_str(&node.tell("hosts"));
        let now = count(node, reason);
        let line = format!("(127.0.0.1, {reason})");
        let is_so = now == before + 1 && told.contains(&line);
        (is_so, format!("{now} times {reason}, told: {told}"))
    });
}

#[tokio::test]
async fn whoever_is_not_who_they_say_is_refused_and_recorded_whatever_they_try() {
    let (house, other) = (House::found("alpha"), House::found("alpha"));
    let mut node = house.start(1, 1);
    let dir = house.join(2);
    let foreign = {
        other.join(2);
        Kept::read(&other.keys_of(2))
    };
    let welcome = Stranger::with(&dir).greet(&node.address).await.unwrap();
    assert_eq!(welcome, 0, "as it is, it is welcome");
    for (how, reason, code, change) in ROWS {
        let before = count(&mut node, reason);
        let mut stranger = Stranger::with(&dir);
        change(&mut stranger, &foreign);
        let answered = stranger.greet(&node.address).await;
        assert_eq!(answered.as_ref().ok(), code.as_ref(), "{how}: {answered:?}");
        is_recorded(&mut node, before, how, reason);
    }

    // The cookie is asked for after the certificates, by the library: that takes a whole node.
    let dir = house.join(4);
    let mut kept = Kept::read(&dir);
    kept.cookie = "something else".to_owned();
    kept.write(&dir);
    let before = count(&mut node, "WrongCookie");
    let mut second = house.start(4, 1);
    second.know(&[(1, &node.address)]);
    wait_until("another cookie", || {
        let now = count(&mut node, "WrongCookie");
        let told = node.tell("hosts");
        (
            now > before || told.contains("WrongCookie"),
            format!("{now} times, {told}"),
        )
    });
    assert!(second.tell("status").contains("n-1=down"));

    assert_eq!(node.tell("refuse 2"), "refused");
    let before = count(&mut node, "Removed");
    let mut removed = Stranger::with(&house.join(2));
    removed.hello.incarnation = 9;
    assert_ne!(removed.greet(&node.address).await.unwrap(), 0);
    is_recorded(&mut node, before, "a node that was removed", "Removed");

    let mut honest = house.start(5, 1);
    introduce(&mut node, &mut honest);
}
