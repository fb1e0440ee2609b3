//! S3: secrets that the system holds, planted and looked for everywhere that they must not be.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lab::{Cluster, Engine, Lab, Node, Stage, Target, Team, Worker};

in_both_engines!(no_secret_of_the_system_is_where_an_agent_or_a_reader_could_find_it);

/// Folders of a node that hold secrets, and nothing else does.
const VAULTS: [&str; 3] = ["secrets", "keys", "notary"];
/// What a target lets in.
const JEWELS: &str = "crown-jewels-0123456789-abcdef";

/// A secret, and what it is.
type Planted = (&'static str, String);

fn longest_part(token: &str) -> String {
    let parts = token.split(['.', '@', '-', ':']);
    parts
        .max_by_key(|part| part.len())
        .unwrap_or_default()
        .to_owned()
}

/// The cookie of the cluster, out of the file of the node's keys.
fn cookie(node: &Node) -> String {
    let bytes = fs::read(node.data().join("keys/node.keys")).expect("the node has keys");
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let runs = bytes.split(|byte| !is_digit(byte));
    let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
    assert!(longest.len() >= 32, "the file of keys has no cookie");
    String::from_utf8_lossy(longest).into_owned()
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    // The library's search: a store's file has many MiB.
    String::from_utf8_lossy(bytes).contains(secret)
}

/// Which of them stand in the files below a folder, those in vaults left out.
fn in_files(folder: &Path, planted: &[Planted], found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type();
        let name = entry.file_name();
        if kind.as_ref().is_ok_and(fs::FileType::is_dir) {
            if !VAULTS.iter().any(|vault| name == *vault) {
                in_files(&path, planted, found);
            }
        } else if kind.is_ok_and(|kind| kind.is_file()) {
            let bytes = fs::read(&path).unwrap_or_default();
            found.extend(named(&bytes, planted, &path.display().to_string()));
        }
    }
}

fn named(bytes: &[u8], planted: &[Planted], place: &str) -> Vec<String> {
    let held = planted.iter().filter(|(_, secret)| holds(bytes, secret));
    held.map(|(what, _)| format!("{what} in {place}")).collect()
}

/// Which of them stand in the environment or the command line of any process.
fn in_processes(planted: &[Planted], found: &mut Vec<String>) {
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        for part in ["environ", "cmdline"] {
            let path = entry.path().join(part);
            let bytes = fs::read(&path).unwrap_or_default();
            found.extend(named(&bytes, planted, &path.display().to_string()));
        }
    }
}

/// A team whose agent looks for secrets where it can, and reaches a target that takes one.
fn describe(lab: &Lab, node: &Node, target: &Target) {
    target.add(node, "crew", &["--needs-secret"]);
    let minute = Duration::from_mins(1);
    node.domo_with(&["secret", "set", "kube"], &format!("{JEWELS}\n"), minute)
        .ok();
    let stage = Stage::new("one", "hand")
        .deed("ask GET kube/pods")
        .deed("ask PUT kube/scale 3")
        .deed("env")
        .deed("read /proc/1/environ")
        .deed("read /proc/1/cmdline")
        .deed("await go");
    let team = Team::new(lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    node.apply(&team.yaml()).ok();
}

fn no_secret_of_the_system_is_where_an_agent_or_a_reader_could_find_it(engine: &Engine) {
    let lab = Lab::new();
    let cluster = Cluster::start(&lab, engine, 1);
    let (node, target) = (cluster.node(1), Target::start(&lab));
    describe(&lab, node, &target);
    node.domo(&["human", "add", "bob", "--member", "crew"]).ok();
    let minted = node.ask(&["human", "token", "bob"]);
    let human = minted["token"]
        .as_str()
        .expect("it is shown once")
        .to_owned();
    let planted: Vec<Planted> = vec![
        ("a target's secret", JEWELS.to_owned()),
        ("a human's token", longest_part(&human)),
        ("a join token", longest_part(&cluster.token())),
        ("the cluster's cookie", cookie(node)),
    ];
    let case = node.submit("crew", "look and mend");
    node.wait_running(&case, "one");
    target.wait_reached(2);
    let mut found = Vec::new();
    in_processes(&planted, &mut found);
    node.domo(&["case", "cancel", &case, "--reason", "enough was seen"])
        .ok();
    let closed = node.wait_closed(&case).to_string();
    found.extend(named(closed.as_bytes(), &planted, "the case"));
    let out = |name: &str| lab.path().join(name).display().to_string();
    let (backup, export) = (out("backup"), out("audit.jsonl"));
    node.domo(&["backup", &backup]).ok();
    node.domo(&["audit", "export", &export]).ok();
    in_files(node.data(), &planted, &mut found);
    for file in [&backup, &export] {
        found.extend(named(
            &fs::read(file).expect("it is written"),
            &planted,
            file,
        ));
    }
    found.extend(named(node.log().as_bytes(), &planted, "the log"));
    for line in [["audit", "show"], ["node", "list"], ["human", "list"]] {
        let said = node.domo(&line).to_string();
        found.extend(named(said.as_bytes(), &planted, &line.join(" ")));
    }
    assert_eq!(found, Vec::<String>::new());
    // They are where they ought to be, so that what was looked for is the right thing.
    let mut kept = Vec::new();
    for vault in VAULTS {
        in_files(&node.data().join(vault), &planted, &mut kept);
    }
    assert!(
        kept.iter().any(|place| place.starts_with("a target's")),
        "{kept:?}"
    );
    assert!(
        kept.iter().any(|place| place.starts_with("the cluster's")),
        "{kept:?}"
    );
}

#[test]
fn a_password_that_an_agent_quotes_is_taken_out_of_its_result() {
    let lab = Lab::new();
    let node = Node::start(&lab, &Engine::Process);
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("hand"))
        .stage(Stage::new("one", "hand").deed("cause db_password=hunter2!zz was refused"));
    node.apply(&team.yaml()).ok();
    let closed = node.wait_closed(&node.submit("crew", "look"));
    // What the playbook's own text says stays; what the agent made of it does not.
    let report = closed["report"].to_string();
    assert!(
        report.contains("db_password=[redacted: password] was refused"),
        "{report}"
    );
    assert!(!report.contains("hunter2"), "{report}");
}
