//! Whatever is asked of a node has a record: what it does by itself, what it denies, whom it turns
//! away at its port; and what is erased of a case is gone from every node, and the record is whole.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use lab::{Cluster, Engine, Lab, Node, Stage, Target, Team, Worker, free_address, wait_until};
use serde_json::Value;

use super::audit::holding;

/// Denials are told in batches, and records reach the other nodes with their entries.
const TOLD_LIMIT: Duration = Duration::from_mins(1);
/// A text that somebody wants gone.
const NAME: &str = "Jonathan Q. Wertheimer-Quist";

fn crew(lab: &Lab) -> Team {
    Team::new(lab, "crew")
        .worker(Worker::new("hand"))
        .stage(Stage::new("one", "hand").deed("cause patience"))
}

fn records(page: &Value) -> &Vec<Value> {
    page["records"].as_array().expect("a page has records")
}

fn deeds(node: &Node) -> Vec<String> {
    let page = node.ask(&["audit", "show"]);
    let deeds = records(&page).iter().rev();
    let told = deeds.filter_map(|record| {
        let is_admins =
            record["who"]["human"] == "admin" && record["verdict"]["accepted"] == "done";
        Some(record["deed"].as_str().filter(|_| is_admins)?.to_owned())
    });
    told.collect()
}

fn wait_record(node: &Node, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    wait_until(TOLD_LIMIT, what, || {
        let page = node.ask(&["audit", "show", "--limit", "50"]);
        let found = records(&page).iter().find(|record| is_it(record)).cloned();
        found.ok_or_else(|| page.to_string())
    })
}

#[test]
fn what_one_node_does_by_itself_is_on_record_before_it_is_done() {
    let lab = Lab::new();
    let node = Node::start_with(&lab, &Engine::Process, &[("chaos.allowed", "true")]);
    node.apply(&crew(&lab).yaml()).ok();
    let target = Target::start(&lab);
    target.add(&node, "crew", &["--needs-secret"]);
    let minute = Duration::from_mins(1);
    let set = node.domo_with(&["secret", "set", "kube"], "crown-jewels\n", minute);
    set.ok();
    node.ask(&["target", "check", "kube"]);
    node.domo(&["secret", "remove", "kube"]).ok();
    assert_eq!(node.domo(&["secret", "remove", "kube"]).code, 1);
    node.domo(&["chaos", "manager", "hold"]).ok();
    node.domo(&["chaos", "manager", "release"]).ok();
    node.domo(&["chaos", "manager", "crash"]).ok();
    node.domo(&["chaos", "clock", "3600"]).ok();
    let status = node.domo(&["status"]).ok().stdout;
    assert!(status.contains("+3600 s off, on purpose"), "{status}");
    node.domo(&["chaos", "clock", "0"]).ok();
    let (backup, export) = (lab.path().join("backup"), lab.path().join("audit.jsonl"));
    node.domo(&["backup", &backup.display().to_string()]).ok();
    node.domo(&["audit", "export", &export.display().to_string()])
        .ok();
    let wanted = [
        "set the secret of kube",
        "checked target kube",
        "removed the secret of kube",
        "held the Manager dead",
        "let the Manager live",
        "crashed the Manager",
        "set its clock +3600 s off",
        "had its own clock count again",
        "handed out a backup",
        "handed out the record",
    ];
    assert_eq!(deeds(&node), wanted);
    let shown = node.domo(&["audit", "show"]).ok().stdout;
    assert!(shown.contains("n-1 set the secret of kube"), "{shown}");
    assert!(!shown.contains("crown-jewels"), "{shown}");
    // The export holds the record of its own handing out.
    let export = fs::read_to_string(export).expect("an export");
    assert!(export.contains("handed out the record"));
    // Where the node stands alone its checkpoints are signed all the same.
    let mut node = node;
    node.stop();
    let kept = fs::read_to_string(node.data().join("audit/checkpoints.jsonl")).expect("kept");
    assert!(kept.contains("\"signature\":\"30"), "{kept}");
    let data = node.data().display().to_string();
    node.domo(&["audit", "verify", "--data", &data]).ok();
    let forged = kept.replacen("\"count\":", "\"count\":1", 1);
    fs::write(node.data().join("audit/checkpoints.jsonl"), forged).expect("the lab is written");
    let found = node.domo(&["audit", "verify", "--data", &data]);
    assert_eq!(found.code, 1, "{found}");
}

#[test]
fn whoever_is_denied_is_on_record_at_each_door() {
    let lab = Lab::new();
    let cluster = Cluster::start(&lab, &Engine::Process, 1);
    let node = cluster.node(1);
    node.apply(&crew(&lab).yaml()).ok();
    node.domo(&["human", "add", "carol"]).ok();
    let secret = lab.path().join("carol.token");
    let out = secret.display().to_string();
    node.domo(&["human", "token", "carol", "--out", &out]).ok();
    let denied = [
        "--token-file",
        &out,
        "case",
        "submit",
        "--team",
        "crew",
        "look",
    ];
    for _ in 0..3 {
        assert_eq!(node.domo(&denied).code, 1);
    }
    let told = |record: &Value, text: &str| record["denials"].to_string().contains(text);
    let record = wait_record(node, "the denials of carol", |record| {
        told(record, "carol: createCase crew, ")
    });
    assert_eq!(record["command"], "record_denials", "{record:#}");
    let of_carol = node.ask(&["audit", "show", "--human", "carol"]);
    assert!(
        of_carol.to_string().contains("record_denials"),
        "{of_carol:#}"
    );

    // A stranger at the port between nodes, and a newcomer with a name that is taken.
    let kept = fs::read_to_string(node.data().join("node.json")).expect("it has a number");
    let kept: Value = serde_json::from_str(&kept).expect("it is JSON");
    let address = kept["home"]["listen"].as_str().expect("it has a home");
    let mut stranger = TcpStream::connect(address).expect("it listens");
    stranger
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .expect("it is heard");
    wait_record(node, "the stranger at the port", |record| {
        told(
            record,
            "127.0.0.1 (what it says cannot be understood): speakForNode",
        )
    });
    let (token, data) = (cluster.token(), lab.path().join("n1-again"));
    let data = data.display().to_string();
    let listen = free_address(8);
    let join = [
        "node", "join", &token, "--data", &data, "--name", "n1", "--listen", &listen,
    ];
    assert_ne!(node.domo(&join).code, 0);
    wait_record(node, "the name that is taken", |record| {
        record["command"] == "admit_node" && record["verdict"]["rejected"].is_string()
    });
}

#[test]
fn what_is_erased_of_a_case_is_gone_from_every_node_and_the_record_is_whole() {
    let lab = Lab::new();
    let mut cluster = Cluster::start(&lab, &Engine::Process, 3);
    cluster.node(1).apply(&crew(&lab).yaml()).ok();
    let case = cluster
        .node(1)
        .submit("crew", &format!("{NAME} cannot log in"));
    let open = cluster.node(1).domo(&["audit", "erase", &case]);
    if open.code == 1 {
        assert!(open.stderr.contains("cancel it first"), "{open}");
    }
    cluster.node(2).wait_closed(&case);
    let other = cluster.node(1).submit("crew", "another case");
    cluster.node(1).wait_closed(&other);
    for number in 1..=3 {
        let node = cluster.node(number);
        wait_until(TOLD_LIMIT, "every node has the case", || {
            let shown = node.domo(&["case", "show", &case]).stdout;
            if shown.contains(NAME) {
                Ok(())
            } else {
                Err(shown)
            }
        });
    }
    assert!(!with_agents(&cluster).is_empty(), "its agent was told");
    // One of them is away meanwhile.
    cluster.node_mut(3).kill();
    let why = ["audit", "erase", &case, "--reason", "a person asked for it"];
    cluster.node(1).domo(&why).ok();
    cluster.node_mut(3).start_again();
    for number in 1..=3 {
        let node = cluster.node(number);
        wait_until(TOLD_LIMIT, "it is erased there", || {
            let shown = node.ask(&["case", "show", &case]).to_string();
            let verdict = node.ask(&["audit", "verify"]);
            let is_done = !shown.contains("Wertheimer") && shown.contains("[erased]");
            let salts = verdict["erased"].as_u64().unwrap_or_default();
            if is_done && verdict["is_whole"] == true && salts > 3 {
                Ok(())
            } else {
                Err(format!("n-{number}: {shown} {verdict}"))
            }
        });
        let kept = node.ask(&["audit", "show", "--case", &case]);
        for record in records(&kept)
            .iter()
            .filter(|record| record["command"] != "erase_case")
        {
            assert_eq!(record["salt"], Value::Null, "{record:#}");
        }
        assert!(kept.to_string().contains("erase_case"), "{kept:#}");
        let untouched = node.ask(&["case", "show", &other]).to_string();
        assert!(untouched.contains("another case"), "{untouched}");
    }
    wait_until(TOLD_LIMIT, "nothing of it is left where agents ran", || {
        let left = with_agents(&cluster);
        left.is_empty().then_some(()).ok_or(format!("{left:?}"))
    });
    let backup = lab.path().join("after");
    let line = ["backup", &backup.display().to_string()];
    cluster.node(2).domo(&line).ok();
    assert!(
        !holds(&backup, NAME.as_bytes()),
        "a backup that is made now"
    );
    cluster.node(2).domo(&["case", "list", "--all"]);
    let refused = cluster.node(1).domo(&["audit", "erase", "c-99"]);
    assert_eq!(refused.code, 1, "{refused}");
}

/// The files of the agents of three nodes that hold the text.
fn with_agents(cluster: &Cluster) -> Vec<String> {
    let nodes = (1..=3).map(|number| cluster.node(number).data().join("boxes"));
    nodes
        .flat_map(|folder| holding(&folder, NAME.as_bytes()))
        .collect()
}

fn holds(file: &Path, bytes: &[u8]) -> bool {
    let text = fs::read(file).expect("it is there");
    text.windows(bytes.len()).any(|part| part == bytes)
}
