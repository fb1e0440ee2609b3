//! What is carried between two linked nodes, and what is not.

use crate::house::{House, two_linked, wait_until};

#[test]
fn calls_go_both_ways_and_say_who_asks() {
    let house = House::found("alpha");
    let (mut first, mut second) = two_linked(&house);
    assert_eq!(first.tell("call 2 500 hello"), "n-1 says hello");
    assert_eq!(second.tell("call 1 500 hello"), "n-2 says hello");
    assert_eq!(
        first.tell("call 3 500 hello"),
        "none: there is no link to node n-3"
    );
    assert_eq!(
        first.tell("call 2 500 nobody"),
        "none: nobody at node n-2 answers"
    );
}

#[test]
fn a_call_that_is_too_large_is_refused_and_the_link_stays() {
    let house = House::found("alpha");
    let (mut first, mut second) = two_linked(&house);
    let since = first.wait_link(2, true);
    let too_large = "none: what was to go to or from node n-2 is too large";
    assert_eq!(first.tell("call 2 2000 oversize"), too_large);
    assert_eq!(first.tell("call 2 2000 long"), too_large);
    assert_eq!(first.tell("call 2 5000 largest"), "answer of 1048485 bytes");
    assert_eq!(first.tell("call 2 500 hello"), "n-1 says hello");
    assert_eq!(first.wait_link(2, true), since);
    assert_eq!(second.tell("count"), "3", "what is too large was not sent");
}

#[test]
fn a_call_whose_answer_comes_too_late_is_given_up() {
    let house = House::found("alpha");
    let (mut first, _second) = two_linked(&house);
    let too_late = "none: node n-2 did not answer in time";
    assert_eq!(first.tell("call 2 100 late 5000"), too_late);
    assert_eq!(first.tell("call 2 1000 late 100"), "n-1 says late 100");
}

#[test]
fn what_a_stopped_node_finds_in_its_socket_is_not_carried_out() {
    let house = House::found("alpha");
    let (mut first, mut second) = two_linked(&house);
    let since = second.wait_link(1, true);
    assert_eq!(first.tell("call 2 500 hello"), "n-1 says hello");
    second.stop();
    // Two rounds of calls are given up while it is stopped; the link outlives that.
    assert_eq!(first.tell("flood 2 100 300 hello"), "0 of 100");
    assert_eq!(first.tell("flood 2 100 300 hello"), "0 of 100");
    second.go_on();
    let late = wait_until("late 200", || {
        let status = second.tell("status");
        (status.contains("late 200"), status)
    });
    assert_eq!(second.tell("count"), "1", "{late}");
    assert_eq!(first.tell("call 2 500 hello"), "n-1 says hello");
    assert_eq!(second.wait_link(1, true), since, "the same link");
}

#[test]
fn a_thousand_calls_at_once_are_all_answered() {
    let house = House::found("alpha");
    let (mut first, _second) = two_linked(&house);
    assert_eq!(first.tell("flood 2 1000 10000 hello"), "1000 of 1000");
}

#[test]
fn round_trips_are_short() {
    let house = House::found("alpha");
    let (mut first, mut second) = two_linked(&house);
    let small = first.tell("measure 2 2000 64");
    let large = second.tell("measure 1 200 262144");
    println!("call of 64 bytes: {small}; of 256 KiB: {large}");
    let p50: u64 = small.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(p50 < 5_000, "{small}");
}

#[test]
fn streams_are_opened_both_ways_for_their_purpose() {
    let house = House::found("alpha");
    let (mut first, mut second) = two_linked(&house);
    assert_eq!(first.tell("connect 2 lease"), "n-1 Lease hello");
    assert_eq!(second.tell("connect 1 blobs"), "n-2 Blobs hello");
    assert_eq!(second.tell("connect 1 http"), "n-2 Http hello");
    let nowhere = first.tell("connect 3 http");
    assert_eq!(nowhere, "none: its address is not known");
}

#[test]
fn a_node_that_is_not_known_any_more_is_let_go() {
    let house = House::found("alpha");
    let (mut first, mut second) = two_linked(&house);
    second.know(&[]);
    first.wait_link(2, false);
    assert_eq!(
        second.tell("call 1 500 hello"),
        "none: there is no link to node n-1"
    );
    let address = first.address.clone();
    second.know(&[(1, &address)]);
    first.wait_link(2, true);
}

#[test]
fn a_node_that_was_started_again_is_linked_again() {
    let house = House::found("alpha");
    let (mut first, second) = two_linked(&house);
    let address = second.address.clone();
    second.leave();
    first.wait_link(2, false);
    let mut again = house.start_at(2, 2, &address, &[]);
    let first_address = first.address.clone();
    again.know(&[(1, &first_address)]);
    again.wait_link(1, true);
    first.wait_link(2, true);
    assert_eq!(first.tell("call 2 500 hello"), "n-1 says hello");
}

#[test]
fn a_stream_of_a_node_that_is_removed_or_gone_ends() {
    let house = House::found("alpha");
    let (mut first, mut second) = two_linked(&house);
    second.order("hold 1");
    assert_eq!(second.hear(), "n-2 Http ");
    assert_eq!(first.tell("refuse 2"), "refused");
    assert_eq!(second.hear(), "it ended");
    assert_eq!(first.tell("refuse"), "refused");
    second.wait_link(1, true);
    second.order("hold 1");
    assert_eq!(second.hear(), "n-2 Http ");
    drop(first);
    assert_eq!(second.hear(), "it ended");
}

#[test]
fn a_link_that_is_made_many_times_leaves_nothing_behind() {
    let house = House::found("alpha");
    let (mut first, mut second) = two_linked(&house);
    let address = first.address.clone();
    let before = (first.descriptors(), second.descriptors());
    for _ in 0..30 {
        second.know(&[]);
        first.wait_link(2, false);
        second.know(&[(1, &address)]);
        first.wait_link(2, true);
        second.wait_link(1, true);
    }
    wait_until("no more descriptors than before", || {
        let now = (first.descriptors(), second.descriptors());
        (
            now.0 <= before.0 && now.1 <= before.1,
            format!("{before:?}, {now:?}"),
        )
    });
    assert_eq!(first.tell("call 2 500 hello"), "n-1 says hello");
}

#[test]
fn a_link_under_load_is_not_taken_for_a_silent_one() {
    let house = House::found("alpha");
    let (mut first, mut second) = two_linked(&house);
    let since = first.wait_link(2, true);
    second.order("load 1 6000 262144");
    let answered = first.tell("load 2 6000 262144");
    println!("{answered}; {}", second.hear());
    assert_eq!(first.wait_link(2, true), since, "{}", first.tell("status"));
    assert!(!answered.starts_with("0 "), "{answered}");
}
