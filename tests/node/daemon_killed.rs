//! The daemon dies in the middle: what was acknowledged is there, what ran goes on, nothing twice.

use lab::{Engine, Lab, Node, Stage, Team, Worker, history, is_told_once, scale, stage_of};

in_both_engines!(
    an_attempt_goes_on_when_the_daemon_is_killed_and_its_result_is_taken,
    an_attempt_that_ends_while_no_daemon_runs_is_taken_at_the_next_start,
    an_agent_goes_on_when_the_daemon_is_asked_to_end,
    a_frozen_daemon_goes_on_where_it_was,
    cases_end_once_each_however_often_the_daemon_is_killed,
);

/// A team of one whose agent waits for a file.
fn waiting(lab: &Lab, engine: &Engine) -> (Node, String) {
    let node = Node::start(lab, engine);
    let stage = Stage::new("work", "hand")
        .deed("await go")
        .deed("cause patience");
    let team = Team::new(lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    node.apply(&team.yaml()).ok();
    let case = node.submit("crew", "wait");
    node.wait_running(&case, "work");
    node.wait_started(1);
    (node, case)
}

/// It ended well, in its first and only attempt.
fn went_on(node: &Node, case: &str) {
    let case = node.wait_closed(case);
    assert_eq!(case["outcome"], "succeeded", "{case:#}");
    assert_eq!(case["report"]["root_cause"], "patience");
    assert_eq!(
        case["attempts"].as_array().map(Vec::len),
        Some(1),
        "{case:#}"
    );
    is_told_once(&case);
}

fn an_attempt_goes_on_when_the_daemon_is_killed_and_its_result_is_taken(engine: &Engine) {
    let lab = Lab::new();
    let (mut node, case) = waiting(&lab, engine);
    node.kill();
    node.start_again();
    node.release("go");
    went_on(&node, &case);
}

fn an_attempt_that_ends_while_no_daemon_runs_is_taken_at_the_next_start(engine: &Engine) {
    let lab = Lab::new();
    let (mut node, case) = waiting(&lab, engine);
    node.kill();
    node.release("go");
    node.wait_written("result.json");
    node.start_again();
    went_on(&node, &case);
}

fn an_agent_goes_on_when_the_daemon_is_asked_to_end(engine: &Engine) {
    let lab = Lab::new();
    let (mut node, case) = waiting(&lab, engine);
    assert!(node.stop().success(), "{}", node.log());
    node.start_again();
    node.release("go");
    went_on(&node, &case);
}

fn a_frozen_daemon_goes_on_where_it_was(engine: &Engine) {
    let lab = Lab::new();
    let (node, case) = waiting(&lab, engine);
    node.freeze();
    node.release("go");
    node.wait_written("result.json");
    node.thaw();
    went_on(&node, &case);
}

fn cases_end_once_each_however_often_the_daemon_is_killed(engine: &Engine) {
    let lab = Lab::new();
    let mut node = Node::start(&lab, engine);
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("eyes"))
        .worker(Worker::new("hands"))
        .stage(Stage::new("look", "eyes").deed("sleep 100ms"))
        .stage(Stage::new("act", "hands").after("look").deed("sleep 100ms"));
    node.apply(&team.yaml()).ok();
    let mut cases = Vec::new();
    for round in 0..scale(5) {
        cases.push(node.submit("crew", &format!("round {round}")));
        // Killed at another moment each time: at once, or when some part of the case is done.
        let newest = cases[round].clone();
        node.wait_case(&newest, "it is far enough to kill the daemon", |case| {
            let done = case["stages_done"].as_u64().unwrap_or_default();
            let begun = history(case, "assigned", None);
            match round % 5 {
                0 => true,
                1 => begun >= 1,
                // A quick agent's start is not told before its end.
                2 => history(case, "started", None) >= 1 || done >= 1,
                3 => done >= 1,
                _ => case["status"] == "closed",
            }
        });
        node.kill();
        node.start_again();
    }
    for case in &cases {
        let case = node.wait_closed(case);
        assert_eq!(case["outcome"], "succeeded", "{case:#}");
        for stage in ["look", "act"] {
            assert!(stage_of(&case, stage).is_some_and(|stage| stage["status"] == "done"));
        }
        is_told_once(&case);
    }
    let known = node.ask(&["case", "list"])["cases"]
        .as_array()
        .map(Vec::len);
    assert_eq!(
        known,
        Some(cases.len()),
        "no case was opened twice, and none is missing"
    );
}
