//! What people order while a case runs, and that it reaches the agents.

use lab::{Engine, Lab, Node, Stage, Team, Worker, evidence, history, is_told_once, stage_of};

in_both_engines!(
    a_cancel_reaches_the_running_agent,
    a_replaced_worker_does_its_work_anew,
);

/// A node, and a case of one stage whose agent waits.
fn waiting(lab: &Lab, engine: &Engine) -> (Node, String) {
    let node = Node::start_with(lab, engine, &[("agents.grace_ms", "1s")]);
    let stage = Stage::new("work", "hand").deed("await go").deed("inputs");
    let last = Stage::new("last", "hand").after("work").deed("cause done");
    let team = Team::new(lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage)
        .stage(last);
    node.apply(&team.yaml()).ok();
    let case = node.submit("crew", "wait");
    node.wait_running(&case, "work");
    node.wait_started(1);
    (node, case)
}

fn a_cancel_reaches_the_running_agent(engine: &Engine) {
    let lab = Lab::new();
    let node = Node::start_with(&lab, engine, &[("agents.grace_ms", "1s")]);
    node.apply(&Team::of_one(&lab, "crew").yaml()).ok();
    let case = node.submit("crew", "agent: deaf\nagent: fork 3\nagent: hang");
    node.wait_running(&case, "work");
    node.wait_started(1);
    node.domo(&["case", "cancel", &case, "--reason", "not needed"])
        .ok();
    let closed = node.wait_closed(&case);
    assert_eq!(closed["outcome"], "cancelled", "{closed:#}");
    assert_eq!(closed["attempts"][0]["status"], "cancelled", "{closed:#}");
    lab.wait_no_process("test-agent");
    is_told_once(&closed);
    let again = node.domo(&["case", "cancel", &case]);
    assert!(again.code <= 1, "{again}");
}

fn a_replaced_worker_does_its_work_anew(engine: &Engine) {
    let lab = Lab::new();
    let (node, case) = waiting(&lab, engine);
    node.domo(&["worker", "replace", "crew/hand", "--reason", "it is slow"])
        .ok();
    let closed = node.wait_case(&case, "it is closed", |seen| {
        node.release("go");
        seen["status"] == "closed"
    });
    assert_eq!(closed["outcome"], "succeeded", "{closed:#}");
    assert_eq!(closed["attempts"][0]["status"], "superseded", "{closed:#}");
    is_told_once(&closed);
}

#[test]
fn a_paused_case_starts_nothing_more_until_it_is_resumed() {
    let lab = Lab::new();
    let (node, case) = waiting(&lab, &Engine::Process);
    node.domo(&["case", "pause", &case]).ok();
    node.release("go");
    let held = node.wait_case(&case, "what ran has ended", |seen| {
        stage_of(seen, "work").is_some_and(|stage| stage["status"] == "done")
    });
    assert_eq!(held["is_paused"], true, "{held:#}");
    assert!(stage_of(&held, "last").is_some_and(|stage| stage["status"] == "pending"));
    assert_eq!(history(&held, "assigned", Some("last")), 0);
    node.domo(&["case", "resume", &case]).ok();
    let closed = node.wait_closed(&case);
    assert_eq!(closed["report"]["root_cause"], "done");
    is_told_once(&closed);
}

#[test]
fn an_amended_case_is_worked_on_with_its_new_brief() {
    let lab = Lab::new();
    let (node, case) = waiting(&lab, &Engine::Process);
    node.domo(&[
        "case",
        "amend",
        &case,
        "look at the other pod\nagent: find the other pod",
    ])
    .ok();
    let closed = node.wait_case(&case, "it is closed", |seen| {
        node.release("go");
        seen["status"] == "closed"
    });
    assert_eq!(closed["outcome"], "succeeded", "{closed:#}");
    assert_eq!(closed["briefs"].as_array().map(Vec::len), Some(2));
    let given = evidence(&closed, "work", "inputs");
    assert!(
        given.iter().any(|line| line.starts_with("briefs/1.md ")),
        "{given:?}"
    );
    evidence(&closed, "work", "the other pod");
    is_told_once(&closed);
}

#[test]
fn a_stage_that_a_human_answers_ends_its_agent() {
    let lab = Lab::new();
    let (node, case) = waiting(&lab, &Engine::Process);
    node.domo(&["case", "answer", &case, "work", "I looked myself"])
        .ok();
    let closed = node.wait_closed(&case);
    assert_eq!(closed["outcome"], "succeeded", "{closed:#}");
    let stage = stage_of(&closed, "work").map(|stage| stage["result"]["summary"].clone());
    assert_eq!(stage, Some("I looked myself".into()));
    assert_eq!(history(&closed, "answered", Some("work")), 1);
    is_told_once(&closed);
}

/// A case whose stage needs an approval.
fn asking(lab: &Lab) -> (Node, String) {
    let node = Node::start(lab, &Engine::Process);
    let stage = Stage::new("restart", "hand")
        .deed("cause restarted")
        .line("approval: {by: [admin], note: Restarts the gateway.}");
    let team = Team::new(lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    node.apply(&team.yaml()).ok();
    let case = node.submit("crew", "restart it");
    node.wait_case(&case, "it waits for an approval", |seen| {
        seen["waiting_for"] == "approval"
    });
    (node, case)
}

#[test]
fn a_stage_that_needs_an_approval_begins_when_it_is_approved() {
    let lab = Lab::new();
    let (node, case) = asking(&lab);
    assert_eq!(history(&node.case(&case), "assigned", None), 0);
    let waits = node.ask(&["status"])["waits"].to_string();
    assert!(waits.contains(&case), "{waits}");
    node.domo(&["case", "approve", &case, "restart", "--note", "now"])
        .ok();
    let closed = node.wait_closed(&case);
    assert_eq!(closed["report"]["root_cause"], "restarted");
    is_told_once(&closed);
}

#[test]
fn a_stage_that_is_rejected_never_begins() {
    let lab = Lab::new();
    let (node, case) = asking(&lab);
    node.domo(&["case", "reject", &case, "--reason", "not today"])
        .ok();
    let closed = node.wait_closed(&case);
    assert_eq!(closed["outcome"], "failed", "{closed:#}");
    assert!(
        closed["ending_reason"].to_string().contains("not today"),
        "{closed:#}"
    );
    assert_eq!(history(&closed, "assigned", None), 0);
    is_told_once(&closed);
}
