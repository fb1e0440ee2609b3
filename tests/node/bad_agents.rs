//! Agents that misbehave: each ends as the contract says, and the report says why.

use lab::{Engine, Lab, Node, Stage, Team, Worker, evidence, history, is_told_once, stage_of};
use serde_json::Value;

in_both_engines!(
    an_agent_that_hangs_is_ended_at_its_time_limit,
    an_agent_that_is_deaf_to_its_end_is_killed_after_its_grace,
    an_agent_that_fails_is_tried_again_and_its_words_are_quoted,
    an_agent_that_crashes_is_reported_with_the_signal,
    an_agent_that_writes_half_a_result_has_none,
    an_agent_that_says_nothing_has_no_result,
    an_agent_that_writes_twice_has_one_result,
    a_result_that_is_no_result_is_refused_with_its_place,
    an_agent_that_floods_its_output_is_cut_and_goes_on,
    an_agent_that_fills_its_folder_is_stopped,
    an_agent_whose_file_was_cut_at_its_limit_has_no_result,
    an_agent_that_takes_too_much_memory_is_reported_so,
    an_agent_that_forks_without_end_is_bounded,
    children_that_an_agent_leaves_behind_are_gone,
);

/// Lets one agent do this, in one attempt, and shows the closed case.
fn case_of(engine: &Engine, deeds: &[&str], worker: &[&str], stage: &[&str]) -> Value {
    let lab = Lab::new();
    let node = Node::start_with(&lab, engine, &[("agents.grace_ms", "1s")]);
    let mut hand = Worker::new("hand");
    for line in worker {
        hand = hand.line(line);
    }
    let mut work = Stage::new("work", "hand");
    for deed in deeds {
        work = work.deed(deed);
    }
    for line in stage {
        work = work.line(line);
    }
    let team = Team::new(&lab, "crew").worker(hand).stage(work);
    node.apply(&team.yaml()).ok();
    let case = node.submit("crew", "behave");
    let closed = node.wait_closed(&case);
    is_told_once(&closed);
    // Whatever it did, the next one is served.
    let next = node.apply(&Team::of_one(&lab, "others").yaml());
    assert_eq!(next.code, 0, "{next}");
    let next = node.submit("others", "agent: cause calm");
    assert_eq!(node.wait_closed(&next)["report"]["root_cause"], "calm");
    closed
}

/// Why the only stage failed.
fn why_failed(case: &Value) -> String {
    assert_eq!(case["outcome"], "failed", "{case:#}");
    let stage = stage_of(case, "work").unwrap_or(&Value::Null);
    let attempts = case["attempts"].as_array().into_iter().flatten();
    let reasons: Vec<String> = attempts
        .map(|attempt| attempt["reason"].to_string())
        .collect();
    format!("{} {}", stage["reason"], reasons.join(" "))
}

const ONCE: &[&str] = &["attempts: 1"];

fn an_agent_that_hangs_is_ended_at_its_time_limit(engine: &Engine) {
    let case = case_of(engine, &["hang"], &[], &["attempts: 1", "limit: 2s"]);
    let why = why_failed(&case);
    assert!(why.contains("time limit"), "{why}");
    assert_eq!(case["attempts"][0]["status"], "timeout", "{case:#}");
}

fn an_agent_that_is_deaf_to_its_end_is_killed_after_its_grace(engine: &Engine) {
    let case = case_of(
        engine,
        &["deaf", "fork 3", "hang"],
        &[],
        &["attempts: 1", "limit: 2s"],
    );
    let why = why_failed(&case);
    assert!(why.contains("time limit"), "{why}");
}

fn an_agent_that_fails_is_tried_again_and_its_words_are_quoted(engine: &Engine) {
    let lab = Lab::new();
    let node = Node::start(&lab, engine);
    let stage = "agent[1]: complain the disk is gone\nagent[1]: exit 3\nagent: cause found";
    node.apply(&Team::of_one(&lab, "crew").yaml()).ok();
    let case = node.wait_closed(&node.submit("crew", stage));
    assert_eq!(case["outcome"], "succeeded", "{case:#}");
    let first = case["attempts"][0]["reason"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(
        first.contains("exit code 3") && first.contains("the disk is gone"),
        "{first}"
    );
    assert_eq!(history(&case, "attempt_failed", None), 1);
    is_told_once(&case);
}

fn an_agent_that_crashes_is_reported_with_the_signal(engine: &Engine) {
    let why = why_failed(&case_of(engine, &["abort"], &[], ONCE));
    assert!(why.contains("signal 6"), "{why}");
}

fn an_agent_that_writes_half_a_result_has_none(engine: &Engine) {
    let why = why_failed(&case_of(engine, &["half"], &[], ONCE));
    assert!(why.contains("ends in the middle"), "{why}");
}

fn an_agent_that_says_nothing_has_no_result(engine: &Engine) {
    let why = why_failed(&case_of(engine, &["nothing"], &[], ONCE));
    assert!(why.contains("no result"), "{why}");
}

fn an_agent_that_writes_twice_has_one_result(engine: &Engine) {
    let case = case_of(engine, &["write first", "write second"], &[], ONCE);
    assert_eq!(case["outcome"], "succeeded", "{case:#}");
    let stage = stage_of(&case, "work").unwrap_or(&Value::Null);
    assert_eq!(
        stage["result"]["summary"], "second",
        "what stood there at its end"
    );
}

fn a_result_that_is_no_result_is_refused_with_its_place(engine: &Engine) {
    let why = why_failed(&case_of(
        engine,
        &[r#"raw {"version": 1, "summary": 7}"#],
        &[],
        ONCE,
    ));
    assert!(
        why.contains("result.json") && why.contains("line 1"),
        "{why}"
    );
}

fn an_agent_that_floods_its_output_is_cut_and_goes_on(engine: &Engine) {
    let deeds = ["flood 20MiB stdout", "flood 20MiB stderr", "cause noise"];
    let case = case_of(engine, &deeds, &[], ONCE);
    assert_eq!(case["report"]["root_cause"], "noise", "{case:#}");
}

fn an_agent_that_fills_its_folder_is_stopped(engine: &Engine) {
    let limits = ["limits: {output: 4MiB}"];
    let why = why_failed(&case_of(
        engine,
        &["flood 64MiB heap", "hang"],
        &limits,
        ONCE,
    ));
    assert!(
        why.contains("too much") || why.contains("signal 25"),
        "{why}"
    );
}

fn an_agent_whose_file_was_cut_at_its_limit_has_no_result(engine: &Engine) {
    let limits = ["limits: {output: 4MiB}"];
    let why = why_failed(&case_of(
        engine,
        &["spill 8MiB artifacts", "cause half of it"],
        &limits,
        ONCE,
    ));
    assert!(why.contains("too much"), "{why}");
}

fn an_agent_that_takes_too_much_memory_is_reported_so(engine: &Engine) {
    let limits = ["limits: {memory: 64MiB}"];
    let why = why_failed(&case_of(engine, &["allocate 512MiB"], &limits, ONCE));
    assert!(why.contains("memory"), "{why}");
}

fn an_agent_that_forks_without_end_is_bounded(engine: &Engine) {
    let case = case_of(engine, &["bomb"], &["limits: {pids: 32}"], ONCE);
    assert_eq!(case["outcome"], "succeeded", "{case:#}");
    let said = evidence(&case, "work", "the bomb ended").join(" ");
    let number: usize = said
        .split_whitespace()
        .find_map(|word| word.trim_end_matches(':').parse().ok())
        .unwrap_or(usize::MAX);
    // The box's own init and what starts the agent count too, and get a little room for it.
    assert!(number <= 48, "{said}");
}

fn children_that_an_agent_leaves_behind_are_gone(engine: &Engine) {
    let lab = Lab::new();
    let node = Node::start(&lab, engine);
    node.apply(&Team::of_one(&lab, "crew").yaml()).ok();
    let case = node.wait_closed(&node.submit("crew", "agent: fork 5"));
    assert_eq!(case["outcome"], "succeeded", "{case:#}");
    lab.wait_no_process("test-agent");
}
