//! The lab and its agent are tried before they are trusted.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use lab::{
    DockerEngine, Lab, Leftover, Net, SmallDisk, agent_path, domo_path, networks_of, scale,
    wait_until,
};
use serde_json::Value;

/// Plenty for a process to start or to end.
const LIMIT: Duration = Duration::from_secs(20);

/// Lets the agent do what `brief` says, as the first attempt of a case.
fn agent(lab: &Lab, brief: &str, arguments: &[&str]) -> (Output, Option<Value>) {
    lab.file("in/case.json", r#"{"version": 1, "attempt": 1}"#);
    lab.file("in/brief.md", brief);
    fs::create_dir_all(lab.path().join("out")).expect("a folder can be made");
    let output = Command::new(agent_path())
        .args(arguments)
        .env("MAJORDOMO_IN", lab.path().join("in"))
        .env("MAJORDOMO_OUT", lab.path().join("out"))
        .output()
        .expect("the agent can be started");
    let result = fs::read_to_string(lab.path().join("out/result.json")).ok();
    (
        output,
        result.and_then(|text| serde_json::from_str(&text).ok()),
    )
}

#[test]
fn the_agent_does_what_arguments_and_brief_say() {
    let lab = Lab::new();
    let brief = "Look.\nagent: say half way\nagent[1]: cause the disk\nagent[2+]: exit 9\n";
    let (output, result) = agent(&lab, brief, &["find a thing", "print hello"]);
    let result = result.unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, b"hello\n");
    assert_eq!(result["root_cause"], "the disk");
    assert_eq!(result["findings"][0]["title"], "a thing");
    assert_eq!(
        result["summary"],
        "did 4 deeds in attempt 1, started 1 times"
    );
    let progress = fs::read_to_string(lab.path().join("out/progress.log")).unwrap();
    assert_eq!(progress, "half way\n");
}

#[test]
fn the_agent_ends_as_badly_as_it_is_told() {
    let lab = Lab::new();
    assert_eq!(agent(&lab, "agent: exit 3", &[]).0.status.code(), Some(3));
    assert_eq!(agent(&lab, "agent: fly", &[]).0.status.code(), Some(70));
    let (output, result) = agent(&lab, "agent: half", &[]);
    assert!(output.status.success());
    assert_eq!(result, None, "half a result is no JSON");
    let (output, _) = agent(&lab, "agent: flood 100KiB stderr", &[]);
    assert_eq!(output.stderr.len(), 100 << 10);
}

#[test]
fn programs_are_static_so_that_they_run_in_an_empty_container() {
    for program in [agent_path(), domo_path()] {
        let bytes = fs::read(&program).unwrap();
        let interpreter = b"/lib64/ld-linux";
        let is_dynamic = bytes
            .windows(interpreter.len())
            .take(4096)
            .any(|part| part == interpreter);
        assert!(!is_dynamic, "{} is not static", program.display());
    }
}

#[test]
fn a_small_disk_is_full_when_it_is_filled_and_free_when_it_is_emptied() {
    let lab = Lab::new();
    let disk = SmallDisk::mount(lab.path(), 1 << 20);
    disk.fill();
    assert!(fs::write(disk.path().join("more"), [0; 8192]).is_err());
    disk.empty();
    assert!(fs::write(disk.path().join("more"), [0; 8192]).is_ok());
}

#[test]
fn a_process_with_mounts_of_the_lab_is_found_and_ended() {
    let lab = Lab::new();
    fs::create_dir(lab.path().join("shown")).unwrap();
    let shown = lab.path().join("shown");
    let mut child = Command::new("bwrap")
        .args(["--ro-bind", "/", "/", "--bind"])
        .arg(&shown)
        .args(["/mnt", "--unshare-pid", "sleep", "1000"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(LIMIT, "the sandbox is found", || {
        let found = Leftover::of(lab.path());
        let is_there = found
            .iter()
            .any(|one| one.to_string().contains("sleep 1000"));
        if is_there {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    });
    let path = lab.path().to_owned();
    drop(lab);
    wait_until(LIMIT, "the sandbox has ended", || {
        child
            .try_wait()
            .map_err(|why| why.to_string())?
            .ok_or("it runs".to_owned())
    });
    assert!(!path.exists(), "the folder of a good test goes");
}

#[test]
fn an_engine_of_the_tests_own_is_stopped_killed_and_started_again() {
    let lab = Lab::new();
    let mut engine = DockerEngine::start(lab.path());
    let answers = |engine: &DockerEngine| {
        let host = format!("unix://{}", engine.socket());
        let asked = Command::new("docker")
            .args(["-H", &host, "ps"])
            .output()
            .unwrap();
        asked.status.success()
    };
    assert!(answers(&engine));
    engine.stop();
    assert!(!answers(&engine));
    engine.start_again();
    assert!(answers(&engine));
    engine.kill();
    assert!(!answers(&engine));
    engine.start_again();
    assert!(answers(&engine));
    let folder = engine.socket();
    drop(engine);
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let parent = Path::new(&folder).parent().unwrap().display().to_string();
    assert!(!mounts.contains(&parent), "nothing stays mounted");
}

#[test]
#[should_panic(expected = "the moon is full: not within 1ms; seen last: half")]
fn a_wait_that_is_over_tells_what_was_seen_last() {
    wait_until(Duration::from_millis(1), "the moon is full", || {
        Err::<(), _>("half")
    });
}

#[test]
fn every_planted_bug_still_applies_and_names_its_test() {
    let root = lab::root();
    let planted = fs::read_dir(root.join("tests/planted")).expect("planted bugs are there");
    let mut count = 0;
    for path in planted.map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|ending| ending != "patch") {
            continue;
        }
        count += 1;
        let name = path.display();
        let text = fs::read_to_string(&path).unwrap();
        let head: Vec<&str> = text.lines().next().unwrap().splitn(3, " | ").collect();
        assert!(
            matches!(head[..], [_, flags, _] if flags.starts_with("--")),
            "{name} begins with `WHAT IT BREAKS | CARGO'S FLAGS | NEXTEST'S FILTER`"
        );
        let mut git = Command::new("git");
        git.args(["apply", "--check"]).arg(&path).current_dir(&root);
        let checked = git.output().expect("git can be started");
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(
            checked.status.success(),
            "{name} does not apply any more: make it anew\n{said}"
        );
    }
    assert!(count >= 20, "{count} planted bugs are too few");
}

#[test]
fn counts_are_as_they_are_where_nobody_asks_for_more() {
    if std::env::var_os("DOMO_TEST_SCALE").is_none() {
        assert_eq!(scale(7), 7);
    }
}

#[test]
fn a_network_of_hosts_is_there_until_it_is_dropped() {
    let mut net = Net::new();
    let (one, other) = (net.host("one"), net.host("other"));
    assert_eq!(net.host("one"), one, "a name is one host");
    let seen = one.run(&["ip", "-oneline", "address", "show", "dev", "eth0"]);
    assert!(seen.contains(&one.address().to_string()), "{seen}");
    let on_the_way = ["ip", "route", "get", &other.address().to_string()];
    assert!(one.run(&on_the_way).contains("dev eth0"));
    assert_eq!(networks_of(std::process::id()).len(), 3);
    drop(net);
    assert_eq!(networks_of(std::process::id()).len(), 0);
}
