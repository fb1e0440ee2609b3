//! The memory for request ids under a flood: what was pushed out is expired, and nothing else is.

use rules::command::{Entry, Request};
use rules::id::{ClockMs, HumanName, RequestId};
use rules::team::DocumentName;
use rules::verdict::Rejection;
use rules::{Command, Principal, Proposal, State, Verdict, apply, demand, limits};

/// Applies a wish that is always refused, under an id that was made then.
fn ask(state: &mut State, word: &str, made: u64) -> Verdict {
    let id = RequestId::stamped(word, ClockMs(made)).expect("it is an id");
    let command = Command::ApplyDocuments {
        put: Vec::new(),
        remove: vec![nobody()],
    };
    let principal = Principal::human(HumanName::new("sam").expect("sam is a name"));
    let demands = demand::of_command(state, &principal, &command);
    let entry = Entry {
        index: state.index + 1,
        term: 1,
        elapsed_ms: 0,
        proposal: Proposal {
            request: Some(Request { id, digest: 7 }),
            principal,
            wall_ms: 0,
            command,
            decision: Some(demand::decided(state, demands, |_| true)),
        }
        .into(),
        salt: [0; 16],
    };
    apply(state, &entry).verdict
}

fn nobody() -> DocumentName {
    DocumentName::Team("nobody".parse().expect("nobody is a name"))
}

fn refused() -> Verdict {
    Err(Rejection::NoDocument(nobody()))
}

fn at(clock_ms: u64) -> State {
    State {
        clock: ClockMs(clock_ms),
        ..State::default()
    }
}

/// Asks as often as the memory has room, under ids that were made then.
fn flood(state: &mut State, made: u64) {
    for word in 0..limits::MAX_REMEMBERED {
        assert_eq!(ask(state, &format!("flood-{word}"), made), refused());
    }
    assert_eq!(state.requests.len(), limits::MAX_REMEMBERED);
}

#[test]
fn an_id_that_a_flood_pushed_out_of_the_memory_is_expired_and_not_new() {
    let mut state = at(0);
    assert_eq!(ask(&mut state, "first", 0), refused());
    state.clock = ClockMs(5);
    flood(&mut state, 5);
    assert_eq!(ask(&mut state, "first", 0), Err(Rejection::Expired));
    assert_eq!(ask(&mut state, "flood-7", 5), refused(), "it is remembered");
    assert_eq!(ask(&mut state, "another", 5), refused(), "it is new");
}

#[test]
fn an_id_that_was_made_after_all_that_were_pushed_out_is_new_however_late_they_were_asked() {
    let mut state = at(50);
    assert_eq!(ask(&mut state, "first", 10), refused());
    flood(&mut state, 30);
    assert_eq!(ask(&mut state, "first", 10), Err(Rejection::Expired));
    assert_eq!(ask(&mut state, "slow", 20), refused(), "it is new");
    // It pushed out one that was made at 30.
    assert_eq!(ask(&mut state, "slower", 30), Err(Rejection::Expired));
    assert_eq!(ask(&mut state, "young", 31), refused(), "it is new");
}

#[test]
fn a_stamp_of_the_future_makes_nobody_elses_id_expire() {
    let mut state = at(0);
    assert_eq!(ask(&mut state, "tomorrow", 1 << 40), refused());
    flood(&mut state, 0);
    state.clock = ClockMs(50);
    assert_eq!(ask(&mut state, "today", 50), refused(), "it is new");
}
