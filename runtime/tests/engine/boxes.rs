//! A box's own life: made, found again, stopped, lost, removed.

use std::fs;
use std::time::Duration;

use runtime::engine::{BoxEvent, BoxId, BoxSpec, Ensured, FoundBox, Phase};
use runtime::spool::{AttemptLimits, AttemptObserved, Ending, Stopped};

use crate::bench::{Bench, Kind, LIMIT, processes_with, spec, wait_until};

pub async fn an_attempt_outlives_the_daemon_and_its_exit_is_found(bench: Bench) {
    let attempt = bench
        .run(&["count", "await:go", r#"result:{"summary":"done"}"#])
        .await;
    attempt.wrote("count").await;
    drop(attempt);
    let bench = bench.restart().await;
    let attempt = bench.found().await;
    assert_eq!(attempt.observe(), AttemptObserved::Running);
    let state = bench.engine.ensure(&spec()).await.unwrap();
    assert_eq!(state.ensured, Ensured::Adopted);
    assert_eq!(state.spool, attempt.spool);
    fs::write(attempt.spool.out_folder(&attempt.name).join("go"), "").unwrap();
    let exit = attempt.exit().await;
    assert!(exit.is_clean(), "{exit:?}");
    assert_eq!(attempt.text("count"), "once\n");
    bench.tidy().await;
}

pub async fn an_attempt_whose_box_was_stopped_and_one_whose_box_died_are_both_over(bench: Bench) {
    let attempt = bench.run(&["count", "hang"]).await;
    attempt.wrote("count").await;
    bench
        .engine
        .stop(&spec().id, Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!(attempt.exit().await.stopped, Some(Stopped::BoxStopped));
    assert_eq!(bench.engine.list().await.unwrap()[0].phase, Phase::Stopped);
    bench.engine.stop(&spec().id, Duration::ZERO).await.unwrap();
    let state = bench.engine.ensure(&spec()).await.unwrap();
    assert_eq!(state.ensured, Ensured::Started);
    let second = bench.order(
        state.spool,
        "a-2",
        &["ignore-term", "count", "hang"],
        AttemptLimits::default(),
    );
    second.wrote("count").await;
    // No time at all: the whole box is killed, init with it.
    bench.engine.stop(&spec().id, Duration::ZERO).await.unwrap();
    bench.engine.ensure(&spec()).await.unwrap();
    let exit = second.exit().await;
    let is_said = exit.ending == Ending::Lost || exit.stopped == Some(Stopped::BoxStopped);
    assert!(is_said, "{exit:?}");
    assert_eq!(second.text("count"), "once\n");
    bench.tidy().await;
}

pub async fn the_end_of_a_box_is_news(bench: Bench) {
    let mut events = bench.engine.events();
    bench.run(&["say:x"]).await.exit().await;
    bench
        .engine
        .stop(&spec().id, Duration::from_secs(5))
        .await
        .unwrap();
    let event = tokio::time::timeout(LIMIT, async {
        loop {
            if let BoxEvent::Ended { id, oom } = events.recv().await.unwrap() {
                return (id, oom);
            }
        }
    });
    assert_eq!(event.await.expect("no news in time"), (spec().id, false));
    bench.tidy().await;
}

pub async fn removing_is_idempotent_and_kills_what_is_inside(bench: Bench) {
    let attempt = bench
        .run(&[
            &format!("behind:{}", bench.word()),
            "ignore-term",
            "write:up:",
            "hang",
        ])
        .await;
    attempt.wrote("up").await;
    let folder = attempt.spool.folder().to_owned();
    let id = spec().id;
    bench.engine.remove(&id).await.unwrap();
    assert!(!folder.exists());
    let short = folder.file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(processes_with(&short), Vec::<String>::new());
    bench.engine.remove(&id).await.unwrap();
    bench
        .engine
        .remove(&BoxId { epoch: 99, ..id })
        .await
        .unwrap();
    assert!(bench.engine.list().await.unwrap().is_empty());
}

pub async fn only_boxes_of_this_node_are_listed(bench: Bench) {
    let neighbour = bench.neighbour().await;
    let theirs = BoxSpec {
        id: BoxId {
            node: 8,
            ..spec().id
        },
        ..spec()
    };
    neighbour.ensure(&theirs).await.unwrap();
    bench.engine.ensure(&spec()).await.unwrap();
    let ids =
        |boxes: Vec<FoundBox>| -> Vec<BoxId> { boxes.into_iter().map(|found| found.id).collect() };
    assert_eq!(ids(bench.engine.list().await.unwrap()), [spec().id]);
    assert_eq!(
        ids(neighbour.list().await.unwrap()),
        std::slice::from_ref(&theirs.id)
    );
    let refused = bench.engine.ensure(&theirs).await.unwrap_err();
    assert!(refused.to_string().contains("another node"), "{refused}");
    neighbour.remove(&theirs.id).await.unwrap();
    bench.tidy().await;
}

pub async fn a_box_whose_folder_was_lost_leaves_no_orphan(bench: Bench) {
    let attempt = bench.run(&["ignore-term", "write:up:", "hang"]).await;
    attempt.wrote("up").await;
    let folder = attempt.spool.folder().to_owned();
    let short = folder.file_name().unwrap().to_string_lossy().into_owned();
    let inits = || processes_with(&format!("-{short}"));
    if bench.kind != Kind::Docker {
        assert!(!inits().is_empty());
    }
    fs::remove_dir_all(&folder).unwrap();
    bench.engine.remove(&spec().id).await.unwrap();
    wait_until("its init is gone", || inits().is_empty().then_some(())).await;
    bench.tidy().await;
}

pub async fn ensuring_at_the_same_time_makes_one_box(bench: Bench) {
    let wanted = spec();
    let (a, b) = tokio::join!(bench.engine.ensure(&wanted), bench.engine.ensure(&wanted));
    assert_eq!(a.unwrap().spool, b.unwrap().spool);
    assert_eq!(bench.engine.list().await.unwrap().len(), 1);
    bench.run(&["say:x"]).await.exit().await;
    bench.tidy().await;
}
