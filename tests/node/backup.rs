//! Backups: taken while cases run, restored as a new cluster, refused when they are not whole; and a
//! cluster that goes on with the one node that is left of it.

use std::fs;
use std::path::Path;

use lab::{Answer, Cluster, Engine, Lab, Node, Stage, Team, Worker, is_told_once};

/// A team whose second stage waits until it is let go.
fn crew(lab: &Lab) -> Team {
    Team::new(lab, "crew")
        .worker(Worker::new("left"))
        .worker(Worker::new("right"))
        .stage(Stage::new("one", "left"))
        .stage(Stage::new("two", "right").after("one"))
}

/// A team whose stage waits until it is let go.
fn slow(lab: &Lab) -> Team {
    let stage = Stage::new("work", "hand").deed("await go");
    Team::new(lab, "slow")
        .worker(Worker::new("hand"))
        .stage(stage)
}

fn submit(node: &Node, id: &str, attached: &Path) -> String {
    let attached = attached.display().to_string();
    let line = ["case", "submit", "--team", "crew", "--request-id", id];
    let opened = node.ask(&[&line[..], &["--attach", &attached, "look"]].concat());
    opened["case"].as_str().expect("a case").to_owned()
}

/// Restores a backup with one more node of the lab.
fn restore(lab: &Lab, by: &Node, file: &Path) -> (Answer, Node) {
    let node = Node::named(lab, "omega", &Engine::Process, &[]);
    let (file, data) = (
        file.display().to_string(),
        node.data().display().to_string(),
    );
    let listen = lab::free_address(9);
    let line = [
        "restore", &file, "--data", &data, "--name", "omega", "--listen", &listen,
    ];
    (by.domo(&line), node)
}

fn of_two(lab: &Lab) -> (Cluster, String) {
    let cluster = Cluster::start(lab, &Engine::Process, 1);
    let node = cluster.node(1);
    node.apply(&crew(lab).yaml()).ok();
    node.apply(&slow(lab).yaml()).ok();
    let attached = lab.path().join("evidence.txt");
    fs::write(&attached, "x".repeat(700_000)).expect("a file of the lab");
    let closed = submit(node, "before", &attached);
    is_told_once(&node.wait_closed(&closed));
    let open = node.submit("slow", "wait");
    node.wait_running(&open, "work");
    (cluster, open)
}

#[test]
fn a_backup_taken_while_a_case_runs_becomes_a_new_cluster_that_goes_on() {
    let lab = Lab::new();
    let (cluster, open) = of_two(&lab);
    let old = cluster.node(1);
    let file = lab.path().join("backup");
    let told = old.ask(&["backup", &file.display().to_string()]);
    assert_eq!(
        (&told["open_cases"], &told["closed_cases"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        told,
        old.ask(&["backup", "--check", &file.display().to_string()])
    );
    let again = old.domo(&["backup", &file.display().to_string()]).refused();
    assert!(again.stderr.contains("is there already"), "{again}");
    let report = old.domo(&["case", "report", "c-1"]).ok().stdout;

    let (restored, mut new) = restore(&lab, old, &file);
    restored.ok();
    new.start_again();
    let status = new.ask(&["status"]);
    let begun = &status["cluster"]["beginnings"][0];
    assert_eq!(
        (&begun["attempts"], &begun["node"]),
        (&1.into(), &"n-2".into())
    );
    assert_eq!(begun["gone"], serde_json::json!(["n-1"]));
    assert_eq!(status["cluster"]["nodes"].as_array().map(Vec::len), Some(1));
    assert!(
        new.domo(&["status"])
            .ok()
            .stdout
            .contains("began again: restored")
    );

    // The closed case with its files, the request that is remembered, and the next number.
    assert_eq!(new.domo(&["case", "report", "c-1"]).ok().stdout, report);
    let line = ["case", "files", "c-1", "attachments/evidence.txt"];
    assert_eq!(new.domo(&line).ok().stdout.len(), 700_000);
    assert_eq!(
        submit(&new, "before", &lab.path().join("evidence.txt")),
        "c-1"
    );
    // What ran is tried again here, and is told once.
    let seen = new.wait_case(&open, "it runs again", |seen| {
        seen["attempts"][1]["status"] == "running"
    });
    assert_eq!(seen["attempts"][0]["status"], "superseded", "{seen:#}");
    new.release("go");
    is_told_once(&new.wait_closed(&open));
    assert_eq!(new.submit("crew", "look"), "c-3");
    // The old cluster is another one, and has nothing to do with it.
    assert_eq!(old.case(&open)["status"], "running");
}

#[test]
fn what_is_no_whole_backup_or_no_new_folder_is_refused_and_nothing_is_changed() {
    let lab = Lab::new();
    let cluster = Cluster::start(&lab, &Engine::Process, 1);
    let node = cluster.node(1);
    node.apply(&crew(&lab).yaml()).ok();
    let file = lab.path().join("backup");
    node.ask(&["backup", &file.display().to_string()]);
    let whole = fs::read(&file).unwrap();
    let refused = |bytes: &[u8], why: &str| {
        let bad = lab.path().join("bad");
        fs::write(&bad, bytes).unwrap();
        let checked = node.domo(&["backup", "--check", &bad.display().to_string()]);
        assert!(checked.clone().refused().stderr.contains(why), "{checked}");
        let (restored, made) = restore(&lab, node, &bad);
        assert!(
            restored.clone().refused().stderr.contains(why),
            "{restored}"
        );
        assert!(!made.data().exists(), "nothing is left of it");
    };
    refused(&whole[..whole.len() / 2], "is not whole");
    refused(&whole[..whole.len() - 1], "is not whole");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 4;
    refused(&flipped, "is damaged at byte");
    refused(b"this is a letter to somebody else", "is no backup");
    // A folder that holds something, and one in which a daemon runs.
    let full = lab.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("a-file"), "of somebody").unwrap();
    let file = file.display().to_string();
    let into = |data: &Path, why: &str| {
        let line = ["restore", &file, "--data", &data.display().to_string()];
        let answer = node.domo(&line).refused();
        assert!(answer.stderr.contains(why), "{answer}");
    };
    into(&full, "is not empty");
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1);
    into(node.data(), "is the data folder of node 1");
    node.domo(&["status"]).ok();
    let missing = node
        .domo(&["restore", "nowhere", "--data", "new"])
        .refused();
    assert!(missing.stderr.contains("nowhere"), "{missing}");
}

fn recover(node: &Node, flags: &[&str]) -> Answer {
    let data = node.data().display().to_string();
    node.domo(&[&["cluster", "recover", "--data", &data], flags].concat())
}

#[test]
fn one_node_that_is_left_goes_on_alone_once_a_human_accepts_what_is_lost() {
    let lab = Lab::new();
    let mut cluster = Cluster::start(&lab, &Engine::Process, 3);
    cluster.node(1).apply(&crew(&lab).yaml()).ok();
    cluster.node(1).apply(&slow(&lab).yaml()).ok();
    let closed = cluster.node(1).submit("crew", "look");
    is_told_once(&cluster.node(1).wait_closed(&closed));
    let open = cluster.node(1).submit("slow", "wait");
    cluster.node(1).wait_running(&open, "work");
    let running = recover(cluster.node(1), &["--accept-loss"]).refused();
    assert!(running.stderr.contains("another daemon uses"), "{running}");
    for number in [2, 3] {
        cluster.node_mut(number).kill();
    }
    cluster.node_mut(1).kill();
    let asked = recover(cluster.node(1), &[]).refused();
    assert!(asked.stderr.contains("nothing was changed"), "{asked}");
    assert!(asked.stderr.contains("n-2, n-3"), "{asked}");
    recover(cluster.node(1), &["--accept-loss"]).ok();
    cluster.node_mut(1).start_again();
    let status = cluster.wait_status(1, "it leads alone", |status| {
        status["cluster"]["leader"] == "n-1" && status["ledger"]["is_writable"] == true
    });
    let begun = &status["cluster"]["beginnings"][0];
    assert_eq!(begun["gone"], serde_json::json!(["n-2", "n-3"]));
    is_told_once(&cluster.node(1).case(&closed));
    cluster.node(1).wait_case(&open, "it runs again", |seen| {
        let attempts = seen["attempts"].as_array();
        attempts.is_some_and(|all| all.last().is_some_and(|last| last["status"] == "running"))
    });
    cluster.node(1).release("go");
    is_told_once(&cluster.node(1).wait_closed(&open));

    // One of the old ones comes back after all: it is nobody here, and cannot do harm.
    cluster.node_mut(2).start_again();
    cluster.wait_status(2, "it says that it is left behind", |status| {
        let told = status["troubles"].to_string();
        let says_why = told.contains("another authority") && told.contains("domo node join");
        says_why && status["cluster"]["leader"].is_null()
    });
    cluster.node_mut(2).kill();
    // It joins fresh, under a new number.
    let (joined, _node) = cluster.joining(&lab, &Engine::Process, 4);
    assert_eq!(joined.clone().ok().code, 0, "{joined}");
    let nodes = cluster.node(1).ask(&["node", "list"]);
    assert_eq!(nodes["nodes"].as_array().map(Vec::len), Some(2), "{nodes}");
    // Nothing is left to recover.
    cluster.node_mut(1).stop();
    let again = recover(cluster.node(1), &["--accept-loss"]).refused();
    assert!(again.stderr.contains("is the only voter"), "{again}");
}
