//! The plans that come with the program, run as they are on three hosts with containers.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lab::{
    Cluster, DockerEngine, Engine, Lab, Node, SmallDisk, Successors, domo_path, scale, tell,
    wait_until,
};
use rules::version::NEWEST;

/// All of them; those that break most come first.
const PLANS: [&str; 5] = [
    "split-brain",
    "bad-disk",
    "engine-outage",
    "manager-failover",
    "rolling-kill",
];
/// The longest of them has two minutes of faults, and two for its last case.
const RUN_LIMIT: Duration = Duration::from_mins(8);
/// A cluster rises to the newest rules within moments.
const RULES_LIMIT: Duration = Duration::from_mins(1);
/// Room for a ledger, the copy of `domo` that boxes run, and the cases of all plans.
const DISK_BYTES: u64 = 1 << 30;

#[test]
fn whatever_a_ready_made_plan_breaks_what_was_promised_holds() {
    let lab = Lab::new();
    let docker = DockerEngine::start(lab.path());
    let engine = Engine::DockerAt(docker.socket());
    let program = lab.path().join("domo");
    fs::copy(domo_path(), &program).expect("domo can be put into the lab");
    let disks = [1, 2, 3].map(|number| {
        let folder = lab.path().join(format!("host-{number}"));
        SmallDisk::mount(&folder, DISK_BYTES)
    });
    let build = |number: usize| {
        let name = format!("n{number}");
        let data = disks[number - 1].path().join(&name);
        let node = Node::named(&lab, &name, &engine, &[("chaos.allowed", "true")]);
        node.of_program(program.clone()).with_data(data)
    };
    let cluster = Cluster::start_apart(3, build);
    let sockets: Vec<PathBuf> = (1..=3)
        .map(|number| cluster.node(number).socket())
        .collect();
    let successors = Successors(sockets.clone());
    wait_until(RULES_LIMIT, "the newest rules", || {
        let status = cluster.node(1).ask(&["status"]);
        let version = status["cluster"]["rules_version"].as_u64();
        (version == Some(NEWEST.into()))
            .then_some(())
            .ok_or(version)
            .map_err(|version| format!("{version:?}"))
    });
    let count = if scale(1) == 1 { 1 } else { PLANS.len() };
    for plan in &PLANS[..count] {
        let out = lab.path().join(plan).display().to_string();
        let also = sockets[1..]
            .iter()
            .map(|socket| socket.display().to_string());
        let also: Vec<String> = also
            .flat_map(|socket| ["--also".to_owned(), socket])
            .collect();
        let mut line = vec!["chaos", "run", plan, "--out", &out, "--output", "json"];
        line.extend(also.iter().map(String::as_str));
        let report = cluster.node(1).domo_with(&line, "", RUN_LIMIT).ok().json();
        let faults = report["faults"].as_array().expect("a list of faults");
        assert!(!faults.is_empty(), "{plan}: {report:#}");
        for fault in faults {
            assert_eq!(fault["trouble"], "", "{plan}: {report:#}");
        }
        let taken = &report["promised"]["acknowledged"];
        assert!(taken.as_u64() > Some(5), "{plan}: {report:#}");
        assert_eq!(&report["promised"]["closed"], taken, "{plan}: {report:#}");
        tell(&format!("{plan}: {}", report["takeover"]));
        cluster.wait_formed();
    }
    drop(successors);
}
