//! Leases: no host holds one while it is called down, whatever happens; and the thread that carries
//! them, between ledgers in one process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "leases/world.rs"]
mod world;

use proptest::prelude::*;
use world::{Weather, World};

/// How long a history is, in milliseconds: several leaders, each of which may call nodes down.
const HISTORY_MS: u64 = 90_000;

fn weather() -> impl Strategy<Value = Weather> {
    (
        0_u64..30,
        1_u64..200,
        0_u64..6_000,
        prop_oneof![Just(0_u64), 2_000_u64..20_000],
        prop_oneof![Just(0_u64), 3_000_u64..20_000],
        prop_oneof![Just(0_u64), 4_000_u64..20_000],
    )
        .prop_map(
            |(lost_percent, usual_delay_ms, worst_delay_ms, pause_ms, rebel_ms, cut_ms)| Weather {
                lost_percent,
                usual_delay_ms,
                worst_delay_ms,
                pause_ms,
                rebel_ms,
                cut_ms,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_holds_a_lease_while_called_down(seed in any::<u64>(), weather in weather()) {
        let mut world = World::new(seed, weather);
        world.run(HISTORY_MS);
        prop_assert_eq!(world.breach, None);
    }
}

#[test]
fn nodes_are_called_down_and_come_back_and_most_of_the_time_all_hold_their_lease() {
    let rough = Weather {
        lost_percent: 3,
        usual_delay_ms: 20,
        worst_delay_ms: 300,
        pause_ms: 15_000,
        rebel_ms: 30_000,
        cut_ms: 20_000,
    };
    let (mut downs, mut ups) = (0, 0);
    for seed in 0..20 {
        let mut world = World::new(seed, rough);
        world.run(HISTORY_MS);
        downs += world.downs;
        ups += world.ups;
    }
    assert!(downs > 10 && ups > 10, "{downs} down, {ups} up again");
    let mut fair = World::new(
        1,
        Weather {
            usual_delay_ms: 50,
            ..Weather::default()
        },
    );
    fair.run(HISTORY_MS);
    assert_eq!((fair.downs, fair.lapses), (0, 0), "in fair weather");
    assert!(fair.grants > 300, "{} leases were granted", fair.grants);
}
