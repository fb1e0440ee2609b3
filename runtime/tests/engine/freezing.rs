//! Boxes that are frozen: nothing in them goes on until they are thawed, and those that are killed
//! never go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use runtime::clock::Deadline;
use runtime::spool::Ending;

use crate::bench::{Attempt, Bench, processes_with, spec, wait_until};

/// As long as some forty beats take.
const A_WHILE: Duration = Duration::from_millis(200);
/// Far longer than the kernel needs on a loaded machine; the daemon gives less.
const FREEZE_LIMIT: Duration = Duration::from_secs(10);

fn beats(attempt: &Attempt<'_>) -> (PathBuf, u64) {
    let file = attempt.spool.out_folder(&attempt.name).join("beat");
    let length = fs::metadata(&file).map_or(0, |file| file.len());
    (file, length)
}

/// Starts an agent that beats, beside a child that has left it and beats too.
async fn beating(bench: &Bench) -> Attempt<'_> {
    let attempt = bench.run(&["behind:beat", "beat:beat"]).await;
    attempt.wrote("beat").await;
    attempt
}

async fn freeze(bench: &Bench) {
    let frozen = bench.engine.freeze_all(Deadline::after(FREEZE_LIMIT)).await;
    let frozen = frozen.unwrap();
    assert_eq!(frozen.going_on, []);
    assert_eq!(frozen.halted, [spec().id]);
}

/// Looks for a while whether anything goes on.
async fn stands_still(attempt: &Attempt<'_>) -> u64 {
    let (_, before) = beats(attempt);
    let _ = tokio::time::timeout(A_WHILE, std::future::pending::<()>()).await;
    let (_, after) = beats(attempt);
    assert_eq!(before, after, "it goes on");
    after
}

pub async fn a_frozen_box_stands_still_and_goes_on_where_it_was(bench: Bench) {
    let attempt = beating(&bench).await;
    assert!(bench.engine.frozen().await.unwrap().is_empty());
    freeze(&bench).await;
    freeze(&bench).await;
    let before = stands_still(&attempt).await;
    drop(attempt);
    // Whoever froze it may be gone since.
    let bench = bench.restart().await;
    let found = bench.engine.frozen().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, spec().id);
    let attempt = bench.found().await;
    assert_eq!(found[0].spool, attempt.spool);
    bench.engine.ensure(&spec()).await.unwrap();
    assert_eq!(stands_still(&attempt).await, before);
    bench.engine.thaw(&spec().id, &[]).await.unwrap();
    bench.engine.thaw(&spec().id, &[]).await.unwrap();
    wait_until("more beats", || (beats(&attempt).1 > before).then_some(())).await;
    assert!(bench.engine.frozen().await.unwrap().is_empty());
    drop(attempt);
    bench.tidy().await;
}

pub async fn a_frozen_box_is_killed_and_not_thawed(bench: Bench) {
    let attempt = beating(&bench).await;
    freeze(&bench).await;
    let before = stands_still(&attempt).await;
    // However long it may take to end: it is frozen and hears nothing.
    let id = spec().id;
    let stopped = bench.engine.stop(&id, Duration::from_mins(1));
    tokio::time::timeout(Duration::from_secs(30), stopped)
        .await
        .expect("it is not killed at once")
        .unwrap();
    assert_eq!(beats(&attempt).1, before, "it went on for a moment");
    let left = processes_with(&format!("beat:{}", bench.word()));
    assert_eq!(left, Vec::<String>::new());
    // The box itself is as good as new.
    bench.engine.ensure(&spec()).await.unwrap();
    assert_eq!(attempt.exit().await.ending, Ending::Lost);
    assert!(bench.engine.frozen().await.unwrap().is_empty());
    freeze(&bench).await;
    drop(attempt);
    bench.tidy().await;
}

pub async fn of_frozen_attempts_side_by_side_only_the_wanted_go_on(bench: Bench) {
    let spool = bench.engine.ensure(&spec()).await.unwrap().spool;
    let wanted = bench.order_beside(&spool, "a-1", &["behind:beat", "beat:beat"]);
    let unwanted = bench.order_beside(&spool, "b-1", &["behind:beat", "beat:beat"]);
    wanted.wrote("beat").await;
    unwanted.wrote("beat").await;
    freeze(&bench).await;
    let before = stands_still(&unwanted).await;
    let (_, of_wanted) = beats(&wanted);
    let but = [unwanted.name.clone()];
    bench.engine.thaw(&spec().id, &but).await.unwrap();
    unwanted.exit().await;
    assert_eq!(beats(&unwanted).1, before, "it went on for a moment");
    wait_until("more beats", || {
        (beats(&wanted).1 > of_wanted).then_some(())
    })
    .await;
    bench.tidy().await;
}

/// The groups of the only box that there is: those of one hierarchy each, or the one of all.
fn groups(bench: &Bench) -> Vec<PathBuf> {
    let boxes = fs::read_dir(bench.data.path().join("boxes")).unwrap();
    let mut names = boxes.map(|entry| entry.unwrap().file_name());
    let (name, mount) = (names.next().unwrap(), Path::new("/sys/fs/cgroup"));
    let roots = ["memory", "pids", "cpu", "freezer", "."].map(|root| mount.join(root));
    let groups = roots.map(|root| root.join("domo").join(&name));
    let found = groups
        .into_iter()
        .filter(|group| group.join("cgroup.procs").exists());
    let found: Vec<PathBuf> = found.collect();
    assert!(!found.is_empty(), "the box has no groups");
    found
}

/// Has everything in the box die at once, and something else be in its groups.
async fn dead_with_somebody_left(bench: &Bench) -> (Vec<PathBuf>, std::process::Child) {
    bench.engine.ensure(&spec()).await.unwrap();
    let groups = groups(bench);
    wait_until("nobody in the box", || {
        let left = fs::read_to_string(groups[0].join("cgroup.procs")).unwrap();
        for pid in left.lines() {
            let pid = nix::unistd::Pid::from_raw(pid.parse().unwrap());
            // Gone by itself is gone.
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
        left.is_empty().then_some(())
    })
    .await;
    let mut left = std::process::Command::new("/bin/sleep");
    let left = left.arg("1000").spawn().unwrap();
    for group in &groups {
        fs::write(group.join("cgroup.procs"), left.id().to_string()).unwrap();
    }
    (groups, left)
}

pub async fn what_a_dead_box_has_left_frozen_is_killed_when_it_is_removed(bench: Bench) {
    let (groups, mut left) = dead_with_somebody_left(&bench).await;
    for group in &groups {
        for (file, word) in [("freezer.state", "FROZEN"), ("cgroup.freeze", "1")] {
            if group.join(file).exists() {
                fs::write(group.join(file), word).unwrap();
            }
        }
    }
    bench.engine.remove(&spec().id).await.unwrap();
    wait_until("its end", || left.try_wait().unwrap()).await;
    assert!(groups.iter().all(|group| !group.exists()));
    bench.tidy().await;
}

pub async fn what_a_dead_box_has_left_is_killed_when_it_is_laid_to_rest(bench: Bench) {
    let (_groups, mut left) = dead_with_somebody_left(&bench).await;
    bench.engine.stop(&spec().id, Duration::ZERO).await.unwrap();
    wait_until("its end", || left.try_wait().unwrap()).await;
    // The box itself is as good as new.
    bench.engine.ensure(&spec()).await.unwrap();
    bench.tidy().await;
}
