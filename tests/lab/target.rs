//! A target of agents: a process of its own that writes down, durably, what reaches it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::folder::Lab;
use super::net::Host;
use super::node::Node;
use super::programs::agent_path;
use super::wait::wait_until;

/// A process listens within this.
const READY_LIMIT: Duration = Duration::from_secs(20);
/// Whatever is waited for at a target comes within this.
const SEEN_LIMIT: Duration = Duration::from_mins(2);

/// A target.
#[derive(Debug)]
pub struct Target {
    folder: PathBuf,
    process: Child,
    address: SocketAddrV4,
}

/// A request as it reached a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// How.
    pub method: String,
    /// What, with its query.
    pub path: String,
    /// The key that it carried, or `-`.
    pub key: String,
    /// What it showed as `Authorization`, or `-`.
    pub authorization: String,
    /// Its body.
    pub body: String,
}

impl Target {
    /// Starts one.
    ///
    /// # Panics
    /// When it does not listen.
    pub fn start(lab: &Lab) -> Target {
        Target::run(lab, Command::new(agent_path()), Ipv4Addr::LOCALHOST)
    }

    /// Starts one on a host of its own network: only what runs there reaches it.
    ///
    /// # Panics
    /// When it does not listen.
    pub fn start_on(lab: &Lab, host: &Host) -> Target {
        Target::run(lab, host.command(&agent_path()), Ipv4Addr::LOCALHOST)
    }

    /// Starts one that all hosts of a network reach, on a host of its own.
    ///
    /// # Panics
    /// When it does not listen.
    pub fn start_among(lab: &Lab, host: &Host) -> Target {
        Target::run(lab, host.command(&agent_path()), host.address())
    }

    fn run(lab: &Lab, mut command: Command, address: Ipv4Addr) -> Target {
        let folder = lab.path().join("target");
        fs::create_dir(&folder).expect("the lab's folder can be written");
        command.arg("--target").arg(&folder);
        command.arg(address.to_string()).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("the target can be started");
        let port = wait_until(READY_LIMIT, "the target listens", || {
            let port = fs::read_to_string(folder.join("port"));
            let port = port.map_err(|why| why.to_string())?;
            port.parse().map_err(|why| format!("{why}"))
        });
        Target {
            folder,
            process,
            address: SocketAddrV4::new(address, port),
        }
    }

    /// Makes it known to a node's cluster as `kube`: GET reads, PUT is keyed, POST is not.
    pub fn add(&self, node: &Node, team: &str, more: &[&str]) {
        let at = format!("http://{}", self.address);
        let line = ["target", "add", "kube", "--at", &at, "--keyed", "PUT"];
        node.domo(&[&line[..], &["--for", team], more].concat())
            .ok();
    }

    /// All that reached it.
    pub fn reached(&self) -> Vec<Reached> {
        let text = fs::read_to_string(self.folder.join("requests")).unwrap_or_default();
        let read = |line: &str| {
            let mut words = line.split('\t').map(str::to_owned);
            let mut next = || words.next().unwrap_or_default();
            Reached {
                method: next(),
                path: next(),
                key: next(),
                authorization: next(),
                body: next(),
            }
        };
        text.lines().map(read).collect()
    }

    /// Waits until so many requests have reached it.
    pub fn wait_reached(&self, count: usize) -> Vec<Reached> {
        wait_until(
            SEEN_LIMIT,
            &format!("{count} requests at the target"),
            || {
                let reached = self.reached();
                if reached.len() >= count {
                    Ok(reached)
                } else {
                    Err(format!("{reached:?}"))
                }
            },
        )
    }

    /// Has it answer whoever it holds.
    ///
    /// # Panics
    /// When its folder cannot be written.
    pub fn go_on(&self) {
        fs::write(self.folder.join("go"), "").expect("the target's folder can be written");
    }

    /// Waits until the other end of a stream was cut.
    pub fn wait_cut(&self) {
        self.wait_cut_within(SEEN_LIMIT);
    }

    /// The same within a limit of the test's.
    pub fn wait_cut_within(&self, limit: Duration) {
        wait_until(limit, "the stream was cut", || {
            let is_cut = self.folder.join("cut").exists();
            is_cut.then_some(()).ok_or("it is open")
        });
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
