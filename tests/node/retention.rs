//! What ended attempts have left goes after its time, and nothing that an open case still needs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lab::{Engine, Lab, Node, Stage, Team, Worker, wait_until};

/// The janitor looks a quarter of a minute after the start; with both cores busy it takes longer.
const LIMIT: Duration = Duration::from_mins(2);

/// The attempts that have a folder in a box of the node.
fn attempts(data: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for one in fs::read_dir(data.join("boxes"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let runs = fs::read_dir(one.path().join("run"))
            .into_iter()
            .flatten()
            .flatten();
        let names = runs.map(|entry| entry.file_name().to_string_lossy().into_owned());
        found.extend(names.filter(|name| name.starts_with('c')));
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn what_a_closed_case_s_attempts_have_left_goes_and_an_open_one_s_stays() {
    let lab = Lab::new();
    let mut node = Node::start_with(&lab, &Engine::Process, &[("limits.spools_ms", "0ms")]);
    let short = Team::of_one(&lab, "short");
    node.apply(&short.yaml()).ok();
    let long = Team::new(&lab, "long")
        .worker(Worker::new("hand"))
        .stage(Stage::new("one", "hand"))
        .stage(Stage::new("two", "hand").after("one").deed("await go"));
    node.apply(&long.yaml()).ok();
    let closed = node.submit("short", "look");
    node.wait_closed(&closed);
    let open = node.submit("long", "wait");
    node.wait_running(&open, "two");
    assert_eq!(attempts(node.data()), ["c1-1", "c2-1", "c2-2"]);
    node.kill();
    node.start_again();
    wait_until(LIMIT, "what the closed case has left is gone", || {
        let left = attempts(node.data());
        (left == ["c2-1", "c2-2"])
            .then_some(())
            .ok_or(format!("{left:?}"))
    });
    let shown = node.case(&closed);
    assert_eq!(shown["outcome"], "succeeded", "its report stays: {shown:#}");
    node.release("go");
    let ended = node.wait_closed(&open);
    assert_eq!(ended["outcome"], "succeeded", "{ended:#}");
}
