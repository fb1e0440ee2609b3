//! Hosts for nodes: network namespaces that are one network, which can be cut anywhere.
//!
//! ```text
//!   host n1 ── eth0 ──┐
//!   host n2 ── eth0 ──┼── a bridge, in a namespace of its own
//!   host n3 ── eth0 ──┘
//! ```
//!
//! # Invariant
//! Nothing of it is seen in the machine's own network: both ends of each cable are in namespaces,
//! and those carry the test process's id in their names, so that tests side by side do not meet.
//!
//! # Why
//! Only the network is split. Admin sockets, the Docker engine's socket and all folders are files,
//! and those the hosts share, so that the test reaches every node whatever it has cut.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What all names of the lab's namespaces begin with.
const PREFIX: &str = "domo-lab-";
/// Where the system keeps them.
const NAMESPACES: &str = "/run/netns";

/// One network of a test's own.
#[derive(Debug)]
pub struct Net {
    tag: String,
    hosts: BTreeMap<String, Host>,
}

/// A host in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    namespace: String,
    address: Ipv4Addr,
}

impl Net {
    /// A network without hosts. What a test that was killed has left of its own is removed first.
    ///
    /// # Panics
    /// When it cannot be made: that needs root and `ip`.
    #[expect(clippy::new_without_default, reason = "it makes a network")]
    pub fn new() -> Net {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        sweep(|owner| !Path::new("/proc").join(owner.to_string()).exists());
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let net = Net {
            tag: format!("{PREFIX}{}-{number}", std::process::id()),
            hosts: BTreeMap::new(),
        };
        ip(&["netns", "add", &net.hub()]);
        ip(&["-n", &net.hub(), "link", "add", "br0", "type", "bridge"]);
        ip(&["-n", &net.hub(), "link", "set", "br0", "up"]);
        net
    }

    /// Adds a host of this name, or says which it is.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn host(&mut self, name: &str) -> Host {
        if let Some(host) = self.hosts.get(name) {
            return host.clone();
        }
        let number = u8::try_from(self.hosts.len() + 1).expect("a network has few hosts");
        let host = Host {
            namespace: format!("{}-{name}", self.tag),
            address: Ipv4Addr::new(10, 77, 0, number),
        };
        let (hub, space) = (self.hub(), host.namespace.as_str());
        let (cable, address) = (format!("h{number}"), format!("{}/24", host.address));
        ip(&["netns", "add", space]);
        ip(&[
            "-n", &hub, "link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns",
            space,
        ]);
        ip(&["-n", &hub, "link", "set", &cable, "master", "br0"]);
        ip(&["-n", &hub, "link", "set", &cable, "up"]);
        ip(&["-n", space, "address", "add", &address, "dev", "eth0"]);
        for device in ["lo", "eth0"] {
            ip(&["-n", space, "link", "set", device, "up"]);
        }
        self.hosts.insert(name.to_owned(), host.clone());
        host
    }

    fn hub(&self) -> String {
        format!("{}-hub", self.tag)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for host in self.hosts.values() {
            remove(&host.namespace);
        }
        remove(&self.hub());
    }
}

impl Host {
    /// Its address, which only the other hosts of its network reach.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// A command that runs on it: the same files, another network.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        let space = Path::new(NAMESPACES).join(&self.namespace);
        command.arg(format!("--net={}", space.display()));
        command.arg(program);
        command
    }

    /// Runs a command on it to its end, and says what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn run(&self, words: &[&str]) -> String {
        let mut command = self.command(Path::new(words[0]));
        command.args(&words[1..]);
        done(command, words)
    }
}

/// Removes the networks whose owner, a process id, is such a one, and what runs in them.
fn sweep(is_left: impl Fn(u32) -> bool) {
    for entry in fs::read_dir(NAMESPACES).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next()?.parse().ok());
        if owner.is_some_and(&is_left) {
            end_processes(&name);
            remove(&name);
        }
    }
}

/// Ends what a killed test's network still runs: its nodes.
fn end_processes(namespace: &str) {
    let listed = Command::new("ip")
        .args(["netns", "pids", namespace])
        .output();
    let listed = listed.map(|output| output.stdout).unwrap_or_default();
    for pid in String::from_utf8_lossy(&listed).split_whitespace() {
        if let Ok(pid) = pid.parse() {
            kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
        }
    }
}

fn remove(namespace: &str) {
    // Another test may be sweeping the same.
    Command::new("ip")
        .args(["netns", "delete", namespace])
        .stderr(Stdio::null())
        .status()
        .ok();
}

fn ip(words: &[&str]) {
    let mut command = Command::new("ip");
    command.args(words);
    done(command, words);
}

fn done(mut command: Command, words: &[&str]) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|why| panic!("{words:?}: {why}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{words:?} ended with {}; networks of hosts need root, iproute2 and iptables: {said}",
        output.status
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The names of the networks that a process has made and that are there.
pub fn networks_of(owner: u32) -> Vec<PathBuf> {
    let prefix = format!("{PREFIX}{owner}-");
    let entries = fs::read_dir(NAMESPACES).into_iter().flatten().flatten();
    let is_its = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
    };
    entries.map(|entry| entry.path()).filter(is_its).collect()
}
