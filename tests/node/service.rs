//! The unit that the README installs, and what the daemon says to whoever started it.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use lab::{Engine, Lab, Node, Stage, Team, Worker, is_told_once};

/// Longest wait for a word of the daemon, with both cores busy.
const HEAR_LIMIT: Duration = Duration::from_mins(1);
/// Far more often than a unit asks for, so that several are heard soon.
const WATCHDOG_US: &str = "400000";

/// The values of a key in the unit, in their order.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value)
        .collect()
}

#[test]
fn the_unit_waits_for_the_daemon_watches_it_and_leaves_its_agents_alone() {
    let unit = fs::read_to_string(lab::root().join("config/domo.service"));
    let unit = unit.expect("the unit is in config/domo.service");
    for (key, value) in [
        ("Type", "notify"),
        ("WatchdogSec", "30s"),
        ("Restart", "always"),
        // A daemon that crashes again and again is started again for ever.
        ("StartLimitIntervalSec", "0"),
        // The default would end process agents with the daemon.
        ("KillMode", "process"),
        // The default would end the daemon with an agent that ran out of memory.
        ("OOMPolicy", "continue"),
        ("TasksMax", "infinity"),
    ] {
        assert_eq!(values(&unit, key), [value], "{key} in\n{unit}");
    }
    // The daemon bounds its own end below what the unit grants.
    assert_eq!(values(&unit, "TimeoutStopSec"), ["60s"]);
    // Whatever else the host's systemd finds wrong with it; the program need not be installed here.
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("domo.service");
    let here = unit.replace("/usr/local/bin/domo", "/bin/true");
    fs::write(&path, here).expect("a file can be written");
    if let Ok(verified) = std::process::Command::new("systemd-analyze")
        .arg("verify")
        .arg(&path)
        .output()
    {
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        let wrong = said.lines().filter(|line| line.contains("domo.service"));
        assert_eq!(wrong.collect::<Vec<_>>(), Vec::<&str>::new(), "{said}");
    }
}

/// The next word of the daemon.
fn hear(heard: &UnixDatagram) -> String {
    let mut said = [0; 4096];
    let bytes = heard.recv(&mut said).expect("the daemon says something");
    String::from_utf8_lossy(&said[..bytes]).into_owned()
}

#[test]
fn the_service_manager_hears_that_the_daemon_is_ready_lives_and_ends() {
    let lab = Lab::new();
    let path = lab.path().join("notify");
    let heard = UnixDatagram::bind(&path).expect("a socket can be bound");
    heard.set_read_timeout(Some(HEAR_LIMIT)).expect("a socket");
    let mut node = Node::named(&lab, "n1", &Engine::Process, &[])
        .with_variable("NOTIFY_SOCKET", &path.display().to_string())
        .with_variable("WATCHDOG_USEC", WATCHDOG_US);
    node.spawn();
    assert_eq!(hear(&heard).trim(), "READY=1");
    // It answers once it has said so.
    node.domo(&["status"]).ok();
    for _ in 0..3 {
        assert_eq!(hear(&heard).trim(), "WATCHDOG=1");
    }
    let stage = Stage::new("work", "hand").deed("await go");
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    node.apply(&team.yaml()).ok();
    let case = node.submit("crew", "wait");
    node.wait_running(&case, "work");
    // A unit with KillMode=process ends no other process than the daemon's own.
    node.stop();
    let mut words = std::iter::repeat_with(|| hear(&heard));
    let last = words.find(|word| word.trim() != "WATCHDOG=1");
    assert_eq!(last.as_deref().map(str::trim), Some("STOPPING=1"));
    node.release("go");
    node.start_again();
    is_told_once(&node.wait_closed(&case));
}
