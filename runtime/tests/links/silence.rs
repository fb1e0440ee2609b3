//! Silence is noticed: cut wires in both directions and in one, stopped nodes, silent strangers.

use std::net::TcpStream;
use std::time::Duration;

use runtime::clock::{self, BootMs};

use crate::house::{House, Node, introduce, two_linked};
use crate::network::Network;

/// A silent peer is noticed within this, on both sides.
const NOTICED: Duration = Duration::from_secs(3);
/// A link is back within this when the wires are.
const BACK: Duration = Duration::from_secs(1);
/// What the scheduler of a busy machine may add.
const SLACK: Duration = Duration::from_millis(300);

/// Two linked nodes at the ends of a network.
fn two_apart(house: &House, network: &Network) -> (Node, Node) {
    let start = |node: u64, end: usize| {
        let listen = format!("{}:7400", Network::address(end));
        house.start_at(node, 1, &listen, &network.inside(end))
    };
    let (mut first, mut second) = (start(1, 0), start(2, 1));
    introduce(&mut first, &mut second);
    (first, second)
}

fn is_within(what: &str, from: BootMs, to: BootMs, limit: Duration) {
    let took = to.since(from);
    println!("{what}: {took:?}");
    assert!(took <= limit + SLACK, "{what} took {took:?}");
}

/// Cuts, sees both notice, heals, sees both linked again; some times over.
fn is_noticed_and_mended(cut: impl Fn(&Network)) {
    let (house, network) = (House::found("alpha"), Network::new());
    let (mut first, mut second) = two_apart(&house, &network);
    for _ in 0..2 {
        let cut_at = clock::boot();
        cut(&network);
        is_within("first notices", cut_at, first.wait_link(2, false), NOTICED);
        is_within(
            "second notices",
            cut_at,
            second.wait_link(1, false),
            NOTICED,
        );
        println!("why: {} | {}", first.tell("status"), second.tell("status"));
        let healed_at = clock::boot();
        network.heal();
        is_within("first is back", healed_at, first.wait_link(2, true), BACK);
        is_within("second is back", healed_at, second.wait_link(1, true), BACK);
        assert_eq!(first.tell("call 2 500 hello"), "n-1 says hello");
    }
}

#[test]
fn a_wire_that_swallows_all_is_noticed_and_the_link_is_back_with_it() {
    is_noticed_and_mended(|network| {
        network.mute(0);
        network.mute(1);
    });
}

#[test]
fn a_wire_that_swallows_what_the_first_sends_is_noticed_by_both() {
    is_noticed_and_mended(|network| network.mute(0));
}

#[test]
fn a_wire_that_swallows_what_the_second_sends_is_noticed_by_both() {
    is_noticed_and_mended(|network| network.mute(1));
}

#[test]
fn a_stopped_peer_is_noticed_and_linked_again_when_it_goes_on() {
    let house = House::found("alpha");
    let (mut first, mut second) = two_linked(&house);
    for _ in 0..2 {
        let stopped_at = clock::boot();
        second.stop();
        is_within(
            "first notices",
            stopped_at,
            first.wait_link(2, false),
            NOTICED,
        );
        let on_at = clock::boot();
        second.go_on();
        is_within("first is back", on_at, first.wait_link(2, true), BACK);
        second.wait_link(1, true);
        // The other way around: the one that is dialled.
        let stopped_at = clock::boot();
        first.stop();
        is_within(
            "second notices",
            stopped_at,
            second.wait_link(1, false),
            NOTICED,
        );
        let on_at = clock::boot();
        first.go_on();
        is_within("second is back", on_at, second.wait_link(1, true), BACK);
        first.wait_link(2, true);
    }
}

#[test]
fn a_thousand_silent_connections_keep_no_peer_out() {
    let house = House::found("alpha");
    let (mut first, mut second) = (house.start(1, 1), house.start(2, 1));
    let silent: Vec<TcpStream> = (0..1000)
        .map(|_| TcpStream::connect(&first.address).unwrap())
        .collect();
    let began = clock::boot();
    introduce(&mut first, &mut second);
    is_within("linked", began, second.wait_link(1, true), BACK);
    drop(silent);
}
