//! What an auditor has taken home, an archive and an export, looked at without believing what it says
//! of itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lab::{Answer, Engine, Lab, Node, Team, root};
use runtime::audit::line::{Kept, hex};
use serde_json::Value;

/// A node with some records, which has signed for them, and the head that was kept then.
fn told(lab: &Lab) -> (Node, PathBuf) {
    let mut node = Node::start(lab, &Engine::Process);
    node.apply(&Team::of_one(lab, "crew").yaml()).ok();
    let case = node.submit("crew", "look");
    node.wait_closed(&case);
    let head = kept(lab, &node, "head.json");
    // Each end of the daemon is signed.
    node.stop();
    (node, head)
}

fn kept(lab: &Lab, node: &Node, name: &str) -> PathBuf {
    let head = node.ask(&["audit", "head"]);
    assert!(head["signers"]["authority"].is_string(), "{head:#}");
    let path = lab.path().join(name);
    fs::write(&path, format!("{head}\n")).expect("the lab can be written");
    path
}

/// A head as it was kept before heads told who signs.
fn bare(head: &Path) -> PathBuf {
    let text = fs::read_to_string(head).expect("it was kept");
    let mut head_alone: Value = serde_json::from_str(&text).expect("it is JSON");
    head_alone
        .as_object_mut()
        .expect("it is an object")
        .remove("signers");
    let path = head.with_extension("bare");
    fs::write(&path, head_alone.to_string()).expect("the lab can be written");
    path
}

/// The text with another person in it, and every head that follows from that.
fn forged(text: &str, before: &mut [u8; 32]) -> String {
    let mut new = String::new();
    let mut old = String::new();
    for line in text.lines() {
        if let Some(told) = Kept::read(line) {
            let record = told.record.replace("\"admin\"", "\"mallory\"");
            *before = rules::audit::head_after(before, record.as_bytes());
            old = hex(&told.head);
            let salt = &line[83..115];
            let head = hex(before);
            let frame = [
                "{\"head\":\"",
                &head,
                "\",\"salt\":\"",
                salt,
                "\",\"record\":",
            ];
            new += &[&frame.concat(), record.as_str(), "}\n"].concat();
        } else {
            let line = match old.as_str() {
                "" => line.to_owned(),
                old => line.replace(old, &hex(before)),
            };
            new += &(line + "\n");
        }
    }
    new
}

/// The same by the independent checker, with what stands behind the file's name.
fn checked(export: &Path, more: &[&str]) -> Answer {
    let mut python = Command::new("python3");
    python.arg(root().join("tests/audit/verify_export.py"));
    let said = python.arg(export).args(more).output();
    let said = said.expect("python3 can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Answer {
        asked: format!("verify_export.py {}", export.display()),
        code: said.status.code().unwrap_or(-1),
        stdout: text(&said.stdout),
        stderr: text(&said.stderr),
    }
}

fn says(answer: &Answer, code: i32, texts: &[&str]) {
    let all = format!("{}\n{}", answer.stdout, answer.stderr);
    assert_eq!(answer.code, code, "{answer}");
    for text in texts {
        assert!(all.contains(text), "{text}: {answer}");
    }
}

#[test]
fn an_archive_says_what_it_was_compared_with_and_is_not_blamed_for_a_later_head() {
    let lab = Lab::new();
    let (mut node, head) = told(&lab);
    // What a node puts there, a file at a time.
    let archive = lab.path().join("archive-n-1");
    fs::create_dir(&archive).expect("the lab can be written");
    let first = "audit-00000000000000000001.jsonl";
    for file in [first, "checkpoints.jsonl"] {
        let from = node.data().join("audit").join(file);
        fs::copy(from, archive.join(file)).expect("the node has signed");
    }
    node.start_again();
    node.submit("crew", "one more, behind the archive's end");
    let later = kept(&lab, &node, "later.json");
    let at = |path: &Path| path.display().to_string();
    let look = |more: &[&str]| {
        let line = ["audit", "verify", "--data", &at(&archive)];
        node.domo(&[&line, more].concat())
    };
    says(
        &look(&[]),
        0,
        &["in itself", "nothing that was kept elsewhere"],
    );
    says(
        &look(&["--head", &at(&later)]),
        0,
        &[
            "yes",
            "1 signed checkpoint",
            "it ends at record",
            "is of record",
        ],
    );
    says(
        &look(&["--head", &at(&bare(&later))]),
        0,
        &["in itself", "it ends at record"],
    );
    says(
        &look(&["--signers", &at(&head)]),
        0,
        &["yes", "1 signed checkpoint"],
    );
    says(
        &look(&["--head", &at(&bare(&head))]),
        0,
        &["yes", "the head in"],
    );

    let (path, signed) = (archive.join(first), archive.join("checkpoints.jsonl"));
    let text = fs::read_to_string(&path).expect("it was copied");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    fs::write(&path, lines[..lines.len() / 2].concat()).expect("the lab can be written");
    says(&look(&[]), 1, &["are missing"]);
    let mut before = [0; 32];
    fs::write(&path, forged(&text, &mut before)).expect("the lab can be written");
    says(&look(&["--signers", &at(&head)]), 1, &["rewritten"]);
    says(&look(&["--head", &at(&bare(&head))]), 1, &["rewritten"]);
    fs::remove_file(&signed).expect("it was copied");
    says(
        &look(&[]),
        0,
        &["in itself", "nothing that was kept elsewhere"],
    );
}

/// An export that was forged as a whole, and one that no node says anything of either.
fn forgeries(lab: &Lab, text: &str) -> (PathBuf, PathBuf) {
    let path = lab.path().join("forged.jsonl");
    let mut before = [0; 32];
    let all = forged(text, &mut before);
    fs::write(&path, &all).expect("the lab can be written");
    let unsigned = lab.path().join("unsigned.jsonl");
    let lines = all.split_inclusive('\n');
    let lines = lines.filter(|line| !line.starts_with("{\"checkpoint\":"));
    fs::write(&unsigned, lines.collect::<String>()).expect("the lab can be written");
    (path, unsigned)
}

#[test]
fn an_export_that_was_forged_as_a_whole_is_found_by_who_signs_and_else_never_called_compared() {
    let lab = Lab::new();
    let (mut node, head) = told(&lab);
    node.start_again();
    let at = |path: &Path| path.display().to_string();
    let export = lab.path().join("export.jsonl");
    node.domo(&["audit", "export", &at(&export)]).ok();
    let text = fs::read_to_string(&export).expect("it was exported");
    assert!(text.contains("{\"checkpoint\":"), "the node has signed");
    let (path, unsigned) = forgeries(&lab, &text);
    let look = |node: &Node, export: &Path, more: &[&str]| {
        let line = ["audit", "verify", "--export", &at(export)];
        node.domo(&[&line, more].concat())
    };
    // A node answers, and says who signs.
    says(
        &look(&node, &export, &[]),
        0,
        &["yes", "1 signed checkpoint"],
    );
    says(&look(&node, &path, &[]), 1, &["not what its node signed"]);
    says(&look(&node, &unsigned, &[]), 0, &["in itself"]);
    node.stop();
    // None does: what it says of itself is no comparison.
    says(&look(&node, &export, &[]), 0, &["in itself"]);
    says(
        &look(&node, &path, &[]),
        0,
        &["in itself", "nothing that was kept elsewhere"],
    );
    let signers = at(&head);
    says(
        &look(&node, &export, &["--signers", &signers]),
        0,
        &["yes", "1 signed checkpoint"],
    );
    says(
        &look(&node, &path, &["--signers", &signers]),
        1,
        &["not what its node signed"],
    );
    says(
        &look(&node, &unsigned, &["--head", &at(&bare(&head))]),
        1,
        &["rewritten"],
    );

    let signers = ["--signers", &signers];
    says(&checked(&export, &signers), 0, &["1 signed checkpoints"]);
    says(&checked(&path, &signers), 1, &["not what its node signed"]);
    says(
        &checked(&path, &[]),
        0,
        &["nothing that was kept elsewhere"],
    );
    // Nor is another cluster's word good for it.
    let other = Node::start_at(&lab, lab.path().join("other"), &Engine::Process, &[]);
    let others = at(&kept(&lab, &other, "other.json"));
    says(
        &look(&node, &export, &["--signers", &others]),
        1,
        &["not what its node signed"],
    );
    says(
        &checked(&export, &["--signers", &others]),
        1,
        &["not what its node signed"],
    );
}
