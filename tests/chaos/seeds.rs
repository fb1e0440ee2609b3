//! Drawn faults: whatever is broken, in whatever order, nothing is lost and nothing done twice.
//!
//! A failure prints the line that repeats it, and keeps logs, ledgers and spools of every node.

use std::env;
use std::time::Duration;

use lab::nemesis::Nemesis;
use lab::{Engine, Lab, Tally, Trial, Tries, scale};

/// Faults are put on for so long; healing and judging come to that.
const RAGE: Duration = Duration::from_secs(25);
/// One seed in so many runs its agents in containers.
const EACH_IN_CONTAINERS: u64 = 4;
/// One seed in so many has five nodes, all of which vote.
const EACH_OF_FIVE: u64 = 3;
/// And one in so many, of the others, has a fourth that only hosts.
const EACH_WITH_HOST: u64 = 2;
/// A soak's rounds are so far apart in seeds that no two have one in common.
const SEEDS_OF_A_ROUND: u64 = 1 << 20;

fn tried(seed: u64) -> Tally {
    let lab = Lab::new();
    let (voters, nodes) = if seed.is_multiple_of(EACH_OF_FIVE) {
        (5, 5)
    } else if seed.is_multiple_of(EACH_WITH_HOST) {
        (3, 4)
    } else {
        (3, 3)
    };
    let trial = Trial {
        seed,
        nodes,
        voters,
        engine: if seed.is_multiple_of(EACH_IN_CONTAINERS) {
            Engine::Docker
        } else {
            Engine::Process
        },
        nemesis: Nemesis::drawn(seed, nodes, RAGE),
    };
    let tally = trial.run(&lab);
    tally.note();
    let breaches = tally.breaches.join("\n  ");
    assert!(
        tally.breaches.is_empty(),
        "repeat it by: DOMO_CHAOS_SEED={seed} tests/run chaos\n  {breaches}"
    );
    tally
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    let read = text.parse();
    Some(read.unwrap_or_else(|_| panic!("{variable}={text} is no whole number")))
}

#[test]
fn drawn_faults_lose_nothing_and_double_nothing() {
    if let Some(seed) = number("DOMO_CHAOS_SEED") {
        tried(seed);
        return;
    }
    let first = number("DOMO_TEST_ROUND").unwrap_or(0) * SEEDS_OF_A_ROUND;
    for number in Tries::of("chaos", scale(1)) {
        let tally = tried(first + 1 + number as u64);
        assert!(
            tally.cases > 0 && !tally.faults.is_empty(),
            "nothing was tried: {tally}"
        );
    }
}
