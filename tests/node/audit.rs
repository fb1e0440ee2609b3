//! The record on real nodes: it tells who asked what, is the same on all, survives kills, and whoever
//! holds an export can check it without any of this.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lab::{Cluster, Engine, Lab, Node, Stage, Team, Worker, root, scale, wait_until};
use serde_json::Value;

/// Records reach the other nodes with their entries; with both cores busy that may take this long.
const AGREE_LIMIT: Duration = Duration::from_mins(1);
/// How often a node is killed at scale 1.
const KILLS: usize = 4;

fn crew(lab: &Lab) -> Team {
    Team::new(lab, "crew")
        .worker(Worker::new("hand"))
        .stage(Stage::new("one", "hand").deed("cause patience"))
}

/// What the independent checker says of an export, and whether it is content.
fn checked(export: &Path, kept: Option<&Value>) -> (bool, String) {
    let mut python = Command::new("python3");
    python.arg(root().join("tests/audit/verify_export.py"));
    python.arg(export);
    if let Some(kept) = kept {
        python.arg(kept["count"].to_string());
        python.arg(kept["head"].as_str().unwrap_or_default());
    }
    let said = python.output().expect("python3 can be started");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    (
        said.status.success(),
        text + &String::from_utf8_lossy(&said.stderr),
    )
}

fn records(page: &Value) -> &Vec<Value> {
    page["records"].as_array().expect("a page has records")
}

fn is_whole(node: &Node) -> Value {
    let verdict = node.ask(&["audit", "verify"]);
    assert_eq!(verdict["is_whole"], true, "{verdict:#}");
    verdict
}

#[test]
fn the_record_tells_who_asked_what_and_can_be_checked_without_a_node() {
    let lab = Lab::new();
    let mut node = Node::start(&lab, &Engine::Process);
    node.apply(&crew(&lab).yaml()).ok();
    let brief = "the brief that nobody reads in the record";
    let case = node.submit("crew", brief);
    node.wait_closed(&case);
    let refused = node.domo(&["case", "pause", &case, "--reason", "a late reason"]);
    assert_eq!(refused.code, 1, "{refused}");

    let page = node.ask(&["audit", "show", "--case", &case]);
    let told: Vec<(&str, bool)> = records(&page)
        .iter()
        .map(|record| {
            let command = record["command"].as_str().unwrap_or_default();
            (command, record["verdict"]["accepted"].is_string())
        })
        .collect();
    assert_eq!(told.first(), Some(&("pause_case", false)), "{page:#}");
    assert_eq!(told.last(), Some(&("open_case", true)), "{page:#}");
    for wanted in ["plan_case", "finish_attempt", "report_case"] {
        assert!(told.contains(&(wanted, true)), "{wanted}: {told:?}");
    }
    assert!(!page.to_string().contains("nobody reads"), "{page:#}");
    let admins = node.ask(&["audit", "show", "--human", "admin", "--team", "crew"]);
    let by = |record: &Value| record["who"]["human"] == "admin";
    assert!(!records(&admins).is_empty() && records(&admins).iter().all(by));
    let none = node.ask(&["audit", "show", "--until", "2020-01-01"]);
    assert!(records(&none).is_empty(), "{none:#}");

    let (head_file, export) = (lab.path().join("head.json"), lab.path().join("audit.jsonl"));
    let (head_text, export_text) = (head_file.to_str().unwrap(), export.to_str().unwrap());
    node.domo(&["audit", "verify", "--save", head_text]).ok();
    let head: Value = serde_json::from_str(&fs::read_to_string(&head_file).unwrap()).unwrap();
    node.submit("crew", "one more, after the head was kept");
    node.domo(&["audit", "export", export_text]).ok();
    let (is_content, said) = checked(&export, Some(&head));
    assert!(is_content, "{said}");
    node.domo(&[
        "audit",
        "verify",
        "--export",
        export_text,
        "--head",
        head_text,
    ])
    .ok();
    node.domo(&["audit", "verify", "--head", head_text]).ok();
    is_checked_by_both_when_it_is_altered(&node, &export);

    node.stop();
    let data = node.data().to_str().unwrap().to_owned();
    node.domo(&["audit", "verify", "--data", &data, "--head", head_text])
        .ok();
    is_found_in_the_data_folder(&node, &data, head_text);
}

/// An export in which one word was changed, and one whose end was cut.
fn is_checked_by_both_when_it_is_altered(node: &Node, export: &Path) {
    let text = fs::read_to_string(export).expect("the export is a text");
    let lines: Vec<&str> = text.lines().collect();
    let cut = lines[..lines.len() - 2].join("\n") + "\n";
    for (altered, why) in [
        (
            text.replacen("open_case", "shut_case", 1),
            "does not follow",
        ),
        (cut, "missing"),
    ] {
        let path = export.with_extension("altered");
        fs::write(&path, altered).expect("the lab can be written");
        let (is_content, said) = checked(&path, None);
        assert!(!is_content && said.contains(why), "{said}");
        let verified = node.domo(&["audit", "verify", "--export", &path.display().to_string()]);
        assert_eq!(verified.code, 1, "{verified}");
        assert!(verified.stderr.contains(why), "{verified}");
    }
}

fn is_found_in_the_data_folder(node: &Node, data: &str, head: &str) {
    let file = node.data().join("audit/audit-00000000000000000001.jsonl");
    let text = fs::read_to_string(&file).expect("the first file of records is there");
    let altered = text.replacen("\"admin\"", "\"mallory\"", 1);
    fs::write(&file, altered).expect("the lab can be written");
    let line = ["audit", "verify", "--data", data, "--head", head];
    let found = node.domo(&line);
    assert_eq!(found.code, 1, "{found}");
    let name = file.display().to_string();
    assert!(
        found.stderr.contains(&name) && found.stderr.contains("byte"),
        "{found}"
    );
}

#[test]
fn a_node_that_is_killed_again_and_again_has_every_record_once() {
    let lab = Lab::new();
    let settings = [("ledger.snapshot_every", "200")];
    let mut node = Node::start_with(&lab, &Engine::Process, &settings);
    node.apply(&crew(&lab).yaml()).ok();
    let mut before = 0;
    for round in 0..scale(KILLS) {
        for number in 0..8 {
            node.submit("crew", &format!("case {round}.{number}"));
        }
        node.kill();
        node.start_again();
        let count = is_whole(&node)["count"].as_u64().unwrap_or_default();
        assert!(count >= before + 8, "{before} records, then {count}");
        before = count;
    }
}

#[test]
fn three_nodes_come_to_the_same_head_and_no_secret_of_the_system_is_on_record() {
    let lab = Lab::new();
    let mut cluster = Cluster::start(&lab, &Engine::Process, 3);
    cluster.node(1).apply(&crew(&lab).yaml()).ok();
    let token = cluster.token();
    let secret = token
        .trim_start_matches("domo-join-")
        .split(['.', '@'])
        .max_by_key(|part| part.len())
        .expect("a token has parts")
        .to_owned();
    let case = cluster.node(2).submit("crew", "look");
    cluster.node(3).wait_closed(&case);
    cluster.node_mut(3).kill();
    let case = cluster.node(1).submit("crew", "look again");
    cluster.node(1).wait_closed(&case);
    cluster.node_mut(3).start_again();
    wait_until(AGREE_LIMIT, "all have the same head", || {
        let heads = [1, 2, 3].map(|number| cluster.node(number).ask(&["audit", "head"]));
        let of = |head: &Value| (head["count"].clone(), head["head"].clone());
        if heads.iter().all(|head| of(head) == of(&heads[0])) {
            Ok(())
        } else {
            Err(format!("{heads:?}"))
        }
    });
    for number in [1, 2, 3] {
        let node = cluster.node(number);
        is_whole(node);
        for folder in ["audit", "ledger", "blobs"] {
            let found = holding(&node.data().join(folder), secret.as_bytes());
            assert_eq!(found, Vec::<String>::new(), "the token's secret");
        }
        assert!(
            !node.log().contains(&secret),
            "the token's secret is in a log"
        );
    }
}

/// The files below a folder that hold these bytes.
pub fn holding(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else {
            let text = fs::read(&path).unwrap_or_default();
            if text.windows(bytes.len()).any(|part| part == bytes) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}
