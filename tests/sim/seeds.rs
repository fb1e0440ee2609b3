//! The seeds: a fixed set, fresh ones on each run, and many more where there is time.

use std::collections::BTreeMap;
use std::env;
use std::num::NonZero;
use std::sync::Mutex;
use std::thread;

use lab::{Tries, scale};
use runtime::clock;

use super::clockwork::locked;
use super::trial::{Tally, tried};

/// Seeds that have found something. 48 and 26: a file of records was begun before the one before it
/// was durable. 84: a full disk kept a node from opening its records. 92 and 105: a node that led
/// before it had copied closed cases asked nobody for them. 407: the trial itself judged a store that
/// was about to be opened again. 497: a change of voters whose leader died in its middle never ended.
/// 330712483931: the trial's Manager never took back what the one before him had said of his own node.
const PINNED: [u64; 8] = [48, 26, 84, 92, 105, 407, 497, 330_712_483_931];
/// Fixed seeds of the slice.
const FIXED: usize = 20;
/// Fresh ones beside them.
const FRESH: usize = 4;
/// Where the seeds of rounds begin, and how many a round has room for.
const OF_A_ROUND: u64 = 1 << 32;

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    let read = text.parse();
    Some(read.unwrap_or_else(|_| panic!("{variable}={text} is no whole number")))
}

/// What came of many seeds.
#[derive(Default)]
struct Sum {
    seeds: u64,
    entries: u64,
    cases: u64,
    turns: u64,
    virtual_ms: u64,
    rare: BTreeMap<&'static str, u64>,
}

impl Sum {
    fn add(&mut self, tally: Tally) {
        self.seeds += 1;
        self.entries += tally.entries;
        self.cases += tally.cases;
        self.turns += tally.steps;
        self.virtual_ms += tally.virtual_ms;
        for (what, count) in tally.rare {
            *self.rare.entry(what).or_default() += count;
        }
    }

    #[expect(clippy::print_stdout, reason = "the table is what the run is for")]
    fn print(&self, took_us: u64) {
        println!(
            "{} seeds in {} ms: {} entries, {} cases, {} turns, {} s of their own time",
            self.seeds,
            took_us / 1000,
            self.entries,
            self.cases,
            self.turns,
            self.virtual_ms / 1000
        );
        for (what, count) in &self.rare {
            println!("{count:>9}  {what}");
        }
    }
}

fn judged(seed: u64) -> Tally {
    let tally = tried(seed);
    let breaches = tally.breaches.join("\n  ");
    assert!(
        tally.breaches.is_empty(),
        "repeat it by: DOMO_SIM_SEED={seed} tests/run whatever_breaks\n  {breaches}"
    );
    tally
}

/// Tries seeds on all cores: each is a thread's own, whoever else tries one.
fn judged_side_by_side(seeds: impl Iterator<Item = u64> + Send, sum: &mut Sum) {
    let (seeds, sum) = (Mutex::new(seeds), Mutex::new(sum));
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let Some(seed) = locked(&seeds).next() else {
                        return;
                    };
                    let tally = judged(seed);
                    locked(&sum).add(tally);
                }
            });
        }
    });
}

#[test]
fn whatever_breaks_in_whatever_order_the_truths_hold() {
    let mut sum = Sum::default();
    let began = clock::boot_us();
    if let Some(seed) = number("DOMO_SIM_SEED") {
        sum.add(judged(seed));
    } else {
        let round = number("DOMO_TEST_ROUND").unwrap_or(0) * OF_A_ROUND;
        let seeds = Tries::of("sim", scale(FIXED)).map(|number| round + number as u64);
        for seed in PINNED {
            sum.add(judged(seed));
        }
        if scale(1) == 1 {
            seeds.for_each(|seed| sum.add(judged(seed)));
        } else {
            judged_side_by_side(seeds, &mut sum);
        }
        // Others on each run, after all that any round has.
        let fresh = clock::wall().0 << 20 | 1 << 63;
        for number in 0..scale(FRESH) {
            sum.add(judged(fresh + number as u64));
        }
    }
    sum.print(clock::boot_us() - began);
}

#[test]
fn the_same_seed_twice_takes_the_same_turns() {
    for seed in [7, 8] {
        let (one, other) = (tried(seed), tried(seed));
        let told = |tally: &Tally| (tally.trace, tally.steps, tally.rare.clone());
        assert_eq!(told(&one), told(&other), "seed {seed}");
    }
}
