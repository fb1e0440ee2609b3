//! Attempts that run side by side in one box.

use runtime::engine::{BoxLimits, BoxSpec};
use runtime::kernel::FailKind;
use runtime::spool::{AttemptLimits, AttemptObserved, Ending, Spool, Stopped};

use crate::bench::{Attempt, Bench, failure, processes_with, spec};

async fn spool(bench: &Bench) -> Spool {
    bench.engine.ensure(&spec()).await.unwrap().spool
}

/// A file that the agent of one attempt sees of another's.
fn of_other(spool: &Spool, attempt: &str, file: &str) -> String {
    let name = runtime::spool::AttemptName::new(attempt).unwrap();
    spool
        .inside()
        .output(&name)
        .join(file)
        .display()
        .to_string()
}

fn is_running(attempt: &Attempt<'_>) -> bool {
    attempt.observe() == AttemptObserved::Running
}

pub async fn attempts_run_side_by_side_each_with_its_own_end(bench: Bench) {
    let spool = spool(&bench).await;
    // Each waits for the other: one after the other they would wait for ever.
    let (to_b, to_a) = (of_other(&spool, "b-1", "up"), of_other(&spool, "a-1", "up"));
    let a = ["write:up:", &format!("await:{to_b}"), "say:a", "exit:3"];
    let b = ["write:up:", &format!("await:{to_a}"), "say:bb", "kill:9"];
    let a = bench.order_beside(&spool, "a-1", &a);
    let b = bench.order_beside(&spool, "b-1", &b);
    let (first, second) = (a.exit().await, b.exit().await);
    assert_eq!(first.ending, Ending::Code(3), "{first:?}");
    assert_eq!(second.ending, Ending::Signal(9), "{second:?}");
    assert!(!first.oom && !second.oom, "{first:?} {second:?}");
    assert_eq!(first.stdout.stored_bytes, 2, "{first:?}");
    assert_eq!(second.stdout.stored_bytes, 3, "{second:?}");
    bench.tidy().await;
}

pub async fn the_end_of_one_attempt_leaves_the_others(bench: Bench) {
    let spool = spool(&bench).await;
    let (word, other) = (format!("{}-x", bench.word()), format!("{}-y", bench.word()));
    let stays = [&format!("behind:{word}"), "write:up:", "hang"];
    let stays = bench.order_beside(&spool, "a-1", &stays);
    stays.wrote("up").await;
    let goes = [
        &format!("behind:{other}"),
        "ignore-term",
        "write:up:",
        "hang",
    ];
    let goes = bench.order_beside(&spool, "b-1", &goes);
    goes.wrote("up").await;
    goes.cancel(50);
    let exit = goes.exit().await;
    assert_eq!(exit.stopped, Some(Stopped::Cancelled), "{exit:?}");
    assert!(exit.left_behind >= 1, "{exit:?}");
    assert_eq!(
        processes_with(&format!("beat:{other}")),
        Vec::<String>::new()
    );
    let leaves = bench.order_beside(&spool, "c-1", &[&format!("behind:{other}"), "exit:0"]);
    assert_eq!(leaves.exit().await.left_behind, 1);
    assert_eq!(
        processes_with(&format!("beat:{other}")),
        Vec::<String>::new()
    );
    assert!(is_running(&stays), "{:?}", stays.observe());
    assert_eq!(processes_with(&format!("beat:{word}")).len(), 1);
    stays.cancel(50);
    stays.exit().await;
    assert_eq!(
        processes_with(&format!("beat:{word}")),
        Vec::<String>::new()
    );
    bench.tidy().await;
}

pub async fn a_fork_bomb_beside_another_attempt_ends_alone(bench: Bench) {
    let spool = spool(&bench).await;
    let stays = bench.order_beside(&spool, "a-1", &["write:up:", "hang"]);
    stays.wrote("up").await;
    let word = format!("bomb:{}", bench.word());
    let bomb = bench.order_beside(&spool, "b-1", &[&word]);
    let most = bomb
        .until("at its limit", |attempt| {
            let count = processes_with(&word).len();
            let is_over = matches!(attempt.observe(), AttemptObserved::Exited(_));
            (count >= 40 || is_over).then_some(count)
        })
        .await;
    assert!(most <= 90, "{most} processes");
    bomb.cancel(0);
    bomb.exit().await;
    assert_eq!(processes_with(&word), Vec::<String>::new());
    assert!(is_running(&stays), "{:?}", stays.observe());
    let next = bench.order_beside(&spool, "c-1", &["say:x"]);
    assert!(next.exit().await.is_clean());
    bench.tidy().await;
}

pub async fn memory_is_the_boxs_and_ends_the_largest_attempt(bench: Bench) {
    let small = BoxSpec {
        limits: BoxLimits {
            memory_bytes: 64 << 20,
            ..spec().limits
        },
        ..spec()
    };
    let spool = bench.engine.ensure(&small).await.unwrap().spool;
    let stays = bench.order_beside(&spool, "a-1", &["write:up:", "hang"]);
    stays.wrote("up").await;
    let eats = bench.order_beside(&spool, "b-1", &["eat:500000000"]);
    let exit = eats.exit().await;
    assert_eq!(failure(&eats, &exit).0, FailKind::OutOfMemory, "{exit:?}");
    assert!(is_running(&stays), "{:?}", stays.observe());
    bench.tidy().await;
}

pub async fn one_that_wants_the_box_for_itself_waits_for_the_others(bench: Bench) {
    let spool = spool(&bench).await;
    let first = bench.order_beside(&spool, "a-1", &["write:up:", "hang"]);
    first.wrote("up").await;
    let alone = bench.order(spool.clone(), "b-1", &["say:x"], AttemptLimits::default());
    let beside = bench.order_beside(&spool, "c-1", &["say:x"]);
    assert!(beside.exit().await.is_clean());
    assert_eq!(
        alone.observe(),
        AttemptObserved::NotStarted { is_ordered: true }
    );
    first.cancel(0);
    assert!(alone.exit().await.is_clean());
    bench.tidy().await;
}

pub async fn a_box_that_stops_ends_all_and_says_so(bench: Bench) {
    let spool = spool(&bench).await;
    let both = ["a-1", "b-1"].map(|name| bench.order_beside(&spool, name, &["write:up:", "hang"]));
    for attempt in &both {
        attempt.wrote("up").await;
    }
    let grace = std::time::Duration::from_secs(10);
    bench.engine.stop(&spec().id, grace).await.unwrap();
    for attempt in &both {
        assert_eq!(attempt.exit().await.stopped, Some(Stopped::BoxStopped));
    }
    bench.tidy().await;
}

pub async fn an_agent_that_kills_its_attendant_has_ended_with_all_that_it_left(bench: Bench) {
    let spool = spool(&bench).await;
    let stays = bench.order_beside(&spool, "a-1", &["write:up:", "hang"]);
    stays.wrote("up").await;
    let words = [&format!("behind:{}", bench.word()), "kill-parent", "hang"];
    let kills = bench.order_beside(&spool, "b-1", &words);
    assert_eq!(kills.exit().await.ending, Ending::Signal(9));
    let beat = format!("beat:{}", bench.word());
    assert_eq!(processes_with(&beat), Vec::<String>::new());
    assert!(is_running(&stays), "{:?}", stays.observe());
    bench.tidy().await;
}
