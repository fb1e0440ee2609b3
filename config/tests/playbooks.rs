//! Plans written down in advance: what a playbook says, and what each mistake in one says.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

use config::document::{Approver, Bundle, Document, Doer, Known, Loaded, OnFailure, Source, load};
use config::mistake::Mistakes;

fn read(text: &str) -> Result<Loaded, Mistakes> {
    let files = [("t.yaml".to_owned(), text.as_bytes().into())].into();
    let bundle = Bundle {
        documents: vec!["t.yaml".to_owned()],
        files,
    };
    load(Source::Bundle(&bundle), &Known { kernels: &["cli"] })
}

fn complaint(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn stages(text: &str) -> String {
    complaint(&format!(
        "kind: playbook\nname: p\nteam: t\nstages:\n{text}"
    ))
}

#[test]
fn a_playbook_with_everything_is_read() {
    let text = "\
kind: playbook
name: look
team: sre
title: Look
stages:
  - name: a
    skill: disk
  - name: b
    title: Then this
    worker: disk
    after: [a]
    limit: 10m
    attempts: 3
    on_failure: continue
    brief: |
      Look twice.
    approval: {by: [admin, lead, member, alice], note: Careful.}
";
    let loaded = read(text).unwrap();
    let Document::Playbook(playbook) = &loaded.documents[0].document else {
        panic!("no playbook")
    };
    let [a, b] = &playbook.stages[..] else {
        panic!("two stages: {playbook:?}")
    };
    assert!(matches!(&a.doer, Doer::Skill(name) if name.as_str() == "disk"));
    assert_eq!(
        (a.attempts, a.on_failure, a.limit_ms),
        (2, OnFailure::Fail, None)
    );
    assert!(matches!(&b.doer, Doer::Worker(name) if name.as_str() == "disk"));
    assert_eq!(b.after[0].as_str(), "a");
    assert_eq!(
        (b.attempts, b.on_failure, b.limit_ms),
        (3, OnFailure::Continue, Some(600_000))
    );
    assert_eq!(b.brief, "Look twice.\n");
    let approval = b.approval.as_ref().unwrap();
    assert_eq!(
        approval.by[..3],
        [Approver::Admin, Approver::Lead, Approver::Member]
    );
    assert!(matches!(&approval.by[3], Approver::Human(name) if name.as_str() == "alice"));
}

#[test]
fn stages_that_wait_in_a_circle_are_refused_with_the_circle() {
    let message = stages(
        "- {name: x, skill: s}\n- {name: a, skill: s, after: [x, c]}\n\
         - {name: b, skill: s, after: [a]}\n- {name: c, skill: s, after: [b]}\n\
         - {name: d, skill: s, after: [a]}\n",
    );
    assert_eq!(
        message,
        "t.yaml:6:3 (document 1): stages wait for each other in a circle: \
         `a` after `c` after `b` after `a`"
    );
    let message = stages("- {name: a, skill: s, after: [a]}\n");
    assert!(message.ends_with("`a` after `a`"), "{message}");
}

#[test]
fn a_stage_after_one_that_is_not_there_names_the_nearest() {
    let message = stages("- {name: first, skill: s}\n- {name: b, skill: s, after: [frist]}\n");
    assert_eq!(
        message,
        "t.yaml:6:3 (document 1): in stage `b`: the stage `frist` is not known; did you mean `first`?"
    );
}

#[test]
fn a_stage_has_either_a_skill_or_a_worker() {
    let message = stages("- {name: a}\n- {name: b, skill: s, worker: w}\n");
    assert_eq!(
        message.matches("either a `skill` or a `worker`").count(),
        2,
        "{message}"
    );
}

#[test]
fn stages_are_bounded_and_no_two_are_called_alike() {
    let many = "- {name: a, skill: s}\n".repeat(257);
    let message = stages(&many);
    assert!(
        message.contains("`stages` is `a list of 257`; allowed: at most 256"),
        "{message}"
    );
    let message = stages("- {name: a, skill: s}\n- {name: a, skill: s}\n");
    assert!(message.contains("the stage `a` stands twice"), "{message}");
    let message = complaint("kind: playbook\nname: p\nteam: t\nstages: []\n");
    assert!(
        message.contains("a playbook has at least one stage"),
        "{message}"
    );
}

#[test]
fn an_approval_that_names_nobody_is_refused() {
    let message = stages("- {name: a, skill: s, approval: {by: []}}\n");
    assert!(message.contains("`by` names nobody"), "{message}");
}

#[test]
fn no_stage_is_called_like_the_planning() {
    let message = stages("- {name: plan, skill: s}\n");
    assert!(
        message.contains("no stage can be called `plan`"),
        "{message}"
    );
}
