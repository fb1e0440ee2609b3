//! Any conversation keeps every rule: commands of anybody, in any order, repeated, outdated and
//! senseless, with time passing between them.
//!
//! ```text
//! Vec<Wish> ─► entries ─► apply ─► every truth, after each entry
//!                              ├─► the same entries once more: the same bytes
//!                              └─► a faithful driver: every case closed, or waiting for a human
//! ```
//!
//! `DOMO_TEST_SCALE` multiplies the conversations, and then tries others each time. A failure
//! prints the seed (`DOMO_TEST_SEED`) that repeats it and the smallest conversation that shows it.

mod chaos;
mod driver;
mod effects;
mod lab;
mod mistake;
mod nodes;
mod people;
mod pool;
mod rooms;
mod speech;
mod truth;
mod wish;

use std::hash::{BuildHasher, Hasher, RandomState};

use lab::Lab;
use proptest::collection::vec;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use wish::Wish;

/// Conversations that are tried at scale 1: some seconds' worth.
const CONVERSATIONS: u32 = 400;
/// Wishes of one conversation: enough for several cases to go all their way.
const WISHES: usize = 200;
/// The seed at scale 1: a run tells something about the change, not about luck.
const SEED: u64 = 1;

/// Tries `check` on many conversations, and shows the smallest on which it fails.
fn for_any_conversation(check: impl Fn(&[Wish]) -> Result<(), String>) {
    let number = |name: &str| -> Option<u64> { std::env::var(name).ok()?.parse().ok() };
    let scale = number("DOMO_TEST_SCALE").unwrap_or(1).max(1);
    let fresh = || RandomState::new().build_hasher().finish();
    let seed = number("DOMO_TEST_SEED").unwrap_or_else(|| if scale > 1 { fresh() } else { SEED });
    let config = Config {
        cases: CONVERSATIONS.saturating_mul(u32::try_from(scale).unwrap_or(u32::MAX)),
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(&vec(wish::any(), 1..WISHES), |wishes| {
        check(&wishes).map_err(TestCaseError::fail)
    });
    if let Err(failure) = tried {
        panic!("DOMO_TEST_SEED={seed} DOMO_TEST_SCALE={scale}: {failure}");
    }
}

#[test]
fn any_conversation_keeps_every_rule() {
    for_any_conversation(|wishes| {
        let mut lab = Lab::begin();
        wishes.iter().try_for_each(|wish| lab.hear(wish))
    });
}

#[test]
fn the_same_entries_give_the_same_bytes() {
    for_any_conversation(|wishes| {
        let mut lab = Lab::begin();
        for wish in wishes {
            lab.say(wish);
        }
        lab.replays()
    });
}

#[test]
fn whatever_was_said_every_case_comes_to_its_end() {
    for_any_conversation(|wishes| {
        let mut lab = Lab::begin();
        for wish in wishes {
            lab.say(wish);
        }
        driver::settle(&mut lab)
    });
}
