//! `domo chaos run` on a real cluster: what it breaks is whole again, and what it promises to say it says.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lab::{
    Answer, Cluster, DockerEngine, Engine, Lab, Node, SmallDisk, Successors, domo_path, wait_until,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const ALLOWED: (&str, &str) = ("chaos.allowed", "true");
/// A run of some seconds, with both cores busy.
const RUN_LIMIT: Duration = Duration::from_mins(3);
/// A fault of some seconds is off; with both cores busy it takes longer to be seen.
const OFF_LIMIT: Duration = Duration::from_mins(1);
/// The shortest story of a lost Manager.
const KILL: &str = "
name: one-kill
title: The Manager's node is killed once
load: 500ms
closed_within: 2m
gap: 1m
steps:
- wait: 2s
- kill: manager
  for: 3s
  rest: 4s
";
/// Long enough for the command that began it to be killed meanwhile.
const FREEZE: &str = "
name: one-freeze
load: 1s
steps:
- wait: 1s
- freeze: manager
  for: 4s
";

/// Long enough to be seen; the disk is the test's own.
const FILL: &str = "
name: one-fill
load: 1s
steps:
- fill: manager
  left: 1MiB
  for: 30s
";
/// Longer than it takes to elect another leader.
const CUT: &str = "
name: one-cut
load: 500ms
closed_within: 2m
gap: 1m
steps:
- wait: 2s
- cut: manager
  for: 6s
  rest: 6s
";
/// The engine is the test's own.
const HANG: &str = "
name: one-hang
load: 500ms
closed_within: 3m
gap: 10s
steps:
- wait: 2s
- hang: all
  for: 3s
  rest: 1s
";
/// Room for a ledger and the copy of `domo` that boxes run.
const DISK_BYTES: u64 = 512 << 20;

/// A node whose program lies in the lab's folder: a daemon that a run starts again is found by it.
fn node(lab: &Lab, name: &str, settings: &[(&str, &str)]) -> Node {
    let program = lab.path().join("domo");
    if !program.exists() {
        // Another file system takes a copy.
        let linked = fs::hard_link(domo_path(), &program);
        let made = linked.or_else(|_| fs::copy(domo_path(), &program).map(drop));
        made.expect("domo can be put into the lab");
    }
    Node::named(lab, name, &Engine::Process, settings).of_program(program)
}

/// Waits until the cluster uses the rules that know of runs: it rises to them within moments.
fn wait_rules(node: &Node) {
    wait_until(OFF_LIMIT, "the rules know of runs", || {
        let version = node.ask(&["status"])["cluster"]["rules_version"].as_u64();
        if version >= Some(4) {
            return Ok(());
        }
        Err(format!("{version:?}"))
    });
}

fn run(node: &Node, plan: &str, more: &[&str]) -> Answer {
    node.domo_with(&[&["chaos", "run", plan], more].concat(), "", RUN_LIMIT)
}

/// What the node's own files say of a run that it is part of.
fn shelf(node: &Node) -> PathBuf {
    node.data().join("chaos")
}

fn is_cleared(node: &Node) {
    let path = shelf(node);
    wait_until(OFF_LIMIT, "nothing of the run is left", || {
        if path.exists() {
            return Err(format!("{:?}", fs::read_dir(&path)));
        }
        Ok(())
    });
}

/// What of the record speaks of a run.
fn recorded(lab: &Lab, node: &Node, name: &str) -> Vec<Value> {
    let path = lab.path().join(name);
    node.domo(&["audit", "export", &path.display().to_string()])
        .ok();
    let text = fs::read_to_string(path).expect("the record was exported");
    let lines = text.lines();
    let records = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let records = records.map(|line| line["record"].clone());
    records
        .filter(|record| record["command"] == "chaos" && record["verdict"]["accepted"].is_string())
        .collect()
}

#[test]
fn the_managers_node_is_killed_by_a_plan_and_comes_back_and_all_that_was_promised_holds() {
    let lab = Lab::new();
    let cluster = Cluster::start_of(3, |number| node(&lab, &format!("n{number}"), &[ALLOWED]));
    let sockets = [1, 2, 3].map(|number| cluster.node(number).socket());
    let _successors = Successors(sockets.to_vec());
    wait_rules(cluster.node(1));
    let plan = lab.file("one-kill.yaml", KILL).display().to_string();
    let sockets = [2, 3].map(|number| cluster.node(number).socket().display().to_string());
    let out = lab.path().join("found").display().to_string();
    let also = ["--also", &sockets[0], "--also", &sockets[1], "--out", &out];
    let json = [&also[..], &["--output", "json"]].concat();
    let report = run(cluster.node(1), &plan, &json).ok().json();

    let checks = report["checks"].as_array().unwrap();
    assert!(
        checks.iter().all(|check| check["has_held"] == true),
        "{report:#}"
    );
    assert_eq!(report["promised"]["lost"], 0, "{report:#}");
    assert!(
        report["promised"]["acknowledged"].as_u64() > Some(5),
        "{report:#}"
    );
    let faults = report["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 1, "{report:#}");
    assert_eq!(faults[0]["trouble"], "", "{report:#}");
    assert!(
        report["takeover"]["max_ms"].as_u64() > Some(0),
        "{report:#}"
    );
    for file in ["report.json", "report.md", "timeline.svg"] {
        assert!(lab.path().join("found").join(file).exists(), "{file}");
    }
    let again = cluster.node(1).domo(&["chaos", "report", &out]).ok();
    assert!(
        again.stdout.contains("no acknowledged case is lost"),
        "{again}"
    );
    // The daemon that was killed runs again, and all nodes vote.
    cluster.wait_formed();
    (1..=3).for_each(|number| is_cleared(cluster.node(number)));
    // The plan was in the record before what was done.
    let records = recorded(&lab, cluster.node(1), "records.jsonl");
    assert_eq!(
        records[0]["deed"],
        "begins a chaos run: kill the node of the Manager from 2000 ms for 3000 ms"
    );
    let made = |record: &&Value| {
        record["deed"]
            .as_str()
            .is_some_and(|deed| deed.contains(": made"))
    };
    assert_eq!(records.iter().filter(made).count(), 1, "{records:#?}");
    // The folder of a report is never written over.
    run(cluster.node(1), &plan, &["--out", &out]).refused();
}

#[test]
fn a_fault_is_off_after_its_time_though_the_command_that_began_the_run_was_killed() {
    let lab = Lab::new();
    let mut node = node(&lab, "n1", &[ALLOWED]);
    node.start_again();
    wait_rules(&node);
    let plan = lab.file("one-freeze.yaml", FREEZE).display().to_string();
    let out = lab.path().join("found").display().to_string();
    let driver = node.begin(&["chaos", "run", &plan, "--out", &out]);
    let status = PathBuf::from(format!("/proc/{}/stat", node.pid()));
    let is_stopped = || {
        let text = fs::read_to_string(&status).unwrap_or_default();
        text.rsplit_once(')')
            .is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
    };
    wait_until(OFF_LIMIT, "the daemon is frozen", || {
        if is_stopped() {
            return Ok(());
        }
        Err("it is not".to_owned())
    });
    drop(driver);
    node.wait_ready();
    assert!(!is_stopped());
    // The run is over by its own time, and another one may begin.
    is_cleared(&node);
    let records = recorded(&lab, &node, "records.jsonl");
    let deeds: Vec<&str> = records
        .iter()
        .filter_map(|record| record["deed"].as_str())
        .collect();
    assert!(
        deeds[0].starts_with("begins a chaos run: freeze the node"),
        "{deeds:?}"
    );
    assert!(deeds[1].ends_with("is armed"), "{deeds:?}");
    assert!(
        deeds
            .iter()
            .any(|deed| deed.contains(": made the fault of step 1"))
    );
    assert!(
        deeds[deeds.len() - 1].ends_with("has all faults off"),
        "{deeds:?}"
    );
    node.domo(&["chaos", "stop"]).ok();
}

#[test]
fn what_a_warden_that_was_killed_has_left_on_is_taken_off_by_the_daemon() {
    let lab = Lab::new();
    let disk = SmallDisk::mount(lab.path(), DISK_BYTES);
    let data = disk.path().join("n1");
    let node = Node::start_at(&lab, data, &Engine::Process, &[ALLOWED]);
    wait_rules(&node);
    let plan = lab.file("one-fill.yaml", FILL).display().to_string();
    let out = lab.path().join("found").display().to_string();
    // A team that is not there: no box is made, which nobody would find on a disk of its own.
    let driver = node.begin(&["chaos", "run", &plan, "--team", "nobody", "--out", &out]);
    let filler = shelf(&node).join("filler");
    wait_until(OFF_LIMIT, "the disk is full", || {
        let filled = fs::metadata(&filler).map_err(|error| error.to_string())?;
        (filled.len() > 0)
            .then_some(())
            .ok_or_else(|| "not yet".to_owned())
    });
    let warden = fs::read(shelf(&node).join("warden.json")).unwrap();
    let warden: Value = serde_json::from_slice(&warden).unwrap();
    let pid = warden["pid"].as_i64().and_then(|pid| pid.try_into().ok());
    kill(Pid::from_raw(pid.unwrap()), Signal::SIGKILL).unwrap();
    wait_until(OFF_LIMIT, "the disk has room again", || {
        if filler.exists() {
            return Err("it is full".to_owned());
        }
        Ok(())
    });
    drop(driver);
    is_cleared(&node);
}

#[test]
fn a_node_that_is_cut_off_by_a_plan_is_joined_again_and_no_rule_stays() {
    let lab = Lab::new();
    let build =
        |number: usize| Node::named(&lab, &format!("n{number}"), &Engine::Process, &[ALLOWED]);
    let cluster = Cluster::start_apart(3, build);
    wait_rules(cluster.node(1));
    let plan = lab.file("one-cut.yaml", CUT).display().to_string();
    let sockets = [2, 3].map(|number| cluster.node(number).socket().display().to_string());
    let out = lab.path().join("found").display().to_string();
    let how = [
        "--also",
        &sockets[0],
        "--also",
        &sockets[1],
        "--out",
        &out,
        "--output",
        "json",
    ];
    let report = run(cluster.node(1), &plan, &how).ok().json();
    let faults = report["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 1, "{report:#}");
    // Another node led meanwhile: nobody took a case before that.
    assert!(
        report["takeover"]["max_ms"].as_u64() > Some(500),
        "{report:#}"
    );
    for number in 1..=3 {
        is_cleared(cluster.node(number));
        let rules = cluster.host(number).run(&["iptables", "--list-rules"]);
        assert!(!rules.contains("DOMO-CHAOS"), "{rules}");
    }
    cluster.wait_formed();
}

#[test]
fn cases_are_taken_while_the_engine_hangs_by_a_plan_and_done_when_it_answers_again() {
    let lab = Lab::new();
    let docker = DockerEngine::start(lab.path());
    let engine = Engine::DockerAt(docker.socket());
    let node = Node::start_with(&lab, &engine, &[ALLOWED]);
    wait_rules(&node);
    let plan = lab.file("one-hang.yaml", HANG).display().to_string();
    let out = lab.path().join("found").display().to_string();
    let report = run(&node, &plan, &["--out", &out, "--output", "json"]);
    let report = report.ok().json();
    assert_eq!(report["faults"][0]["trouble"], "", "{report:#}");
    let taken = &report["promised"]["acknowledged"];
    assert!(taken.as_u64() > Some(5), "{report:#}");
    assert_eq!(&report["promised"]["closed"], taken, "{report:#}");
    is_cleared(&node);
}

#[test]
fn a_run_that_is_not_allowed_or_cannot_be_carried_out_changes_nothing() {
    let lab = Lab::new();
    let plain = Node::start(&lab, &Engine::Process);
    wait_rules(&plain);
    let refused = run(&plain, "manager-failover", &[]).refused();
    assert!(refused.stderr.contains("chaos.allowed = true"), "{refused}");
    drop(plain);

    let node = Node::start_at(&lab, lab.path().join("n2"), &Engine::Process, &[ALLOWED]);
    wait_rules(&node);
    let refused = run(&node, "engine-outage", &[]).refused();
    assert!(refused.stderr.contains("nothing is broken"), "{refused}");
    assert!(
        refused.stderr.contains("there is no engine to hang"),
        "{refused}"
    );
    is_cleared(&node);
    node.domo(&["human", "add", "bob"]).ok();
    let token = lab.path().join("bob.token").display().to_string();
    node.domo(&["human", "token", "bob", "--out", &token]).ok();
    let refused = run(&node, "manager-failover", &["--token-file", &token]).refused();
    assert!(refused.stderr.contains("no right to"), "{refused}");
    let unknown = run(&node, "manager-failovr", &[]).ended_with(2);
    assert!(
        unknown.stderr.contains("did you mean `manager-failover`?"),
        "{unknown}"
    );
    let bad = lab.file("bad.yaml", "name: p\nsteps:\n- kil: manager\n  for: 2s\n");
    let bad = run(&node, &bad.display().to_string(), &[]).refused();
    assert!(bad.stderr.contains("bad.yaml:3:3"), "{bad}");

    assert_eq!(node.ask(&["team", "list"])["teams"], serde_json::json!([]));
    let left = fs::read_dir(lab.path()).unwrap().flatten();
    let left = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("chaos-"));
    assert_eq!(left.count(), 0);
    let planned = node.domo(&["chaos", "plan", "bad-disk"]).ok();
    assert!(planned.stdout.contains("can be done"), "{planned}");
}
