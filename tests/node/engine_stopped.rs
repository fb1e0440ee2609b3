//! The Docker engine goes away in the middle of an attempt and comes back: no case is stuck.

use std::time::Duration;

use lab::{
    DockerEngine, Engine, Lab, Leftover, Node, Stage, Team, Worker, is_told_once, wait_until,
};
use nix::sys::signal::Signal;

/// A node with an engine of its own, and a case whose agent waits.
fn waiting(lab: &Lab) -> (DockerEngine, Node, String) {
    let docker = DockerEngine::start(lab.path());
    let node = Node::start(lab, &Engine::DockerAt(docker.socket()));
    let stage = Stage::new("work", "hand").line("attempts: 3");
    let stage = stage.deed("await go").deed("cause patience");
    let team = Team::new(lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    node.apply(&team.yaml()).ok();
    let case = node.submit("crew", "wait");
    node.wait_running(&case, "work");
    node.wait_started(1);
    (docker, node, case)
}

fn ends_well(node: &Node, case: &str) {
    let closed = node.wait_case(case, "it is closed", |seen| {
        // A new attempt waits for its own file.
        node.release("go");
        seen["status"] == "closed"
    });
    assert_eq!(closed["outcome"], "succeeded", "{closed:#}");
    assert_eq!(closed["report"]["root_cause"], "patience");
    is_told_once(&closed);
}

#[test]
fn a_case_ends_when_the_engine_is_stopped_and_started_in_the_middle() {
    let lab = Lab::new();
    let (mut docker, node, case) = waiting(&lab);
    docker.stop();
    assert_eq!(
        node.domo(&["status"]).code,
        0,
        "the node answers without its engine"
    );
    docker.start_again();
    ends_well(&node, &case);
    has_no_orphans(&docker);
}

#[test]
fn a_case_ends_when_the_engine_is_killed_and_started_in_the_middle() {
    let lab = Lab::new();
    let (mut docker, node, case) = waiting(&lab);
    docker.kill();
    docker.start_again();
    ends_well(&node, &case);
    has_no_orphans(&docker);
}

#[test]
fn a_case_ends_when_the_engine_was_killed_before_it_knew_that_a_container_runs() {
    let lab = Lab::new();
    let (mut docker, node, case) = waiting(&lab);
    docker.kill();
    docker.forget_running();
    docker.start_again();
    ends_well(&node, &case);
    has_no_orphans(&docker);
    wait_until(HEALED, "nothing runs that the engine does not know", || {
        let left = node.boxes().into_iter();
        let left = left.filter(|left| matches!(left, Leftover::Process(..)));
        let (left, known): (Vec<Leftover>, _) = (left.collect(), docker.running().len());
        (left.len() <= known)
            .then_some(())
            .ok_or_else(|| format!("{left:?}, and the engine knows {known}"))
    });
}

#[test]
fn an_attempt_goes_on_while_the_engine_hangs() {
    let lab = Lab::new();
    let (docker, node, case) = waiting(&lab);
    docker.signal(Signal::SIGSTOP);
    node.release("go");
    node.wait_written("result.json");
    let other = node.submit("crew", "the other");
    assert!(other.starts_with("c-"), "a hung engine holds no door");
    docker.signal(Signal::SIGCONT);
    ends_well(&node, &case);
    ends_well(&node, &other);
}

#[test]
fn a_node_that_starts_without_its_engine_says_so_and_uses_it_when_it_is_there() {
    let lab = Lab::new();
    let (mut docker, mut node, case) = waiting(&lab);
    node.kill();
    docker.stop();
    node.start_again();
    wait_until(HEALED, "the status names the engine that is gone", || {
        let status = node.ask(&["status"]);
        let told = status.to_string();
        let is_told = told.contains("the engine that runs the agents does not answer");
        is_told.then_some(()).ok_or(told)
    });
    assert_eq!(node.case(&case)["status"], "running");
    docker.start_again();
    ends_well(&node, &case);
    has_no_orphans(&docker);
}

#[test]
fn a_daemon_that_starts_while_its_engine_hangs_adopts_what_runs() {
    let lab = Lab::new();
    let (docker, mut node, case) = waiting(&lab);
    docker.signal(Signal::SIGSTOP);
    node.kill();
    node.start_again();
    docker.signal(Signal::SIGCONT);
    ends_well(&node, &case);
    let attempts = node.case(&case)["attempts"].as_array().map(Vec::len);
    assert_eq!(attempts, Some(1), "what ran was adopted");
    has_no_orphans(&docker);
}

#[test]
fn a_case_ends_when_daemon_and_engine_are_killed_together() {
    let lab = Lab::new();
    let (mut docker, mut node, case) = waiting(&lab);
    node.kill();
    docker.kill();
    docker.start_again();
    node.start_again();
    ends_well(&node, &case);
    has_no_orphans(&docker);
}

/// How long after healing nothing may be left that nobody wants.
const HEALED: Duration = Duration::from_secs(10);

/// The one worker has one container, and nothing else runs.
fn has_no_orphans(docker: &DockerEngine) {
    wait_until(HEALED, "one container runs", || {
        let running = docker.running();
        (running.len() <= 1).then_some(()).ok_or(running.join(", "))
    });
}
