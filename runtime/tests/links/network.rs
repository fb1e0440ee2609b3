//! Two network namespaces joined by a pair of virtual wires, and how the wires are cut.
//!
//! # Why
//! A neighbour's hardware address that is nobody's makes frames vanish on their way, in one
//! direction, without a word to either end: neither firewall nor traffic control is needed, and no
//! interface is seen going down.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the namespaces of these tests begin with; the process that made them follows.
const PREFIX: &str = "domo-links-";
/// Makes names of networks differ within this process.
static COUNT: AtomicU64 = AtomicU64::new(0);
/// The hardware addresses of the two ends, and one that is nobody's.
const HARDWARE: [&str; 3] = [
    "02:00:00:00:00:01",
    "02:00:00:00:00:02",
    "02:00:00:00:00:99",
];

/// Two namespaces; they go with this.
pub struct Network {
    names: [String; 2],
}

impl Network {
    pub fn new() -> Network {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        sweep();
        let name = |end: u8| format!("{PREFIX}{}-{number}-{end}", std::process::id());
        let network = Network {
            names: [name(1), name(2)],
        };
        let [first, second] = &network.names;
        ip(&format!("netns add {first}"));
        ip(&format!("netns add {second}"));
        ip(&format!(
            "-n {first} link add wire type veth peer name wire netns {second}"
        ));
        for (end, name) in network.names.iter().enumerate() {
            let (address, hardware) = (Network::address(end), HARDWARE[end]);
            ip(&format!("-n {name} link set lo up"));
            ip(&format!("-n {name} link set wire address {hardware}"));
            ip(&format!("-n {name} address add {address}/24 dev wire"));
            ip(&format!("-n {name} link set wire up"));
        }
        network.heal();
        network
    }

    /// The address of an end.
    pub fn address(end: usize) -> String {
        format!("10.77.0.{}", end + 1)
    }

    /// What a command is begun with to run at an end.
    pub fn inside(&self, end: usize) -> [&str; 4] {
        ["ip", "netns", "exec", &self.names[end]]
    }

    /// Nothing that this end sends arrives any more.
    pub fn mute(&self, end: usize) {
        self.neighbour(end, HARDWARE[2]);
    }

    /// All arrives again.
    pub fn heal(&self) {
        for end in [0, 1] {
            self.neighbour(end, HARDWARE[1 - end]);
        }
    }

    fn neighbour(&self, end: usize, hardware: &str) {
        let (name, other) = (&self.names[end], Network::address(1 - end));
        ip(&format!(
            "-n {name} neighbour replace {other} lladdr {hardware} dev wire nud permanent"
        ));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in &self.names {
            let words = ["netns", "delete", name];
            drop(Command::new("ip").args(words).status());
        }
    }
}

/// Takes away what tests left that were killed before they could.
fn sweep() {
    let listed = Command::new("ip").args(["netns", "list"]).output().unwrap();
    for line in String::from_utf8(listed.stdout).unwrap().lines() {
        let name = line.split(' ').next().unwrap();
        let process = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        let is_left = |process: &str| !Path::new("/proc").join(process).exists();
        if process.is_some_and(is_left) {
            drop(Command::new("ip").args(["netns", "delete", name]).status());
        }
    }
}

fn ip(words: &str) {
    let done = Command::new("ip").args(words.split(' ')).status().unwrap();
    assert!(done.success(), "ip {words}: {done}");
}
