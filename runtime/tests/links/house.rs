//! The nodes of a test: their folders, their processes, and how they are led.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rules::id::NodeId;
use runtime::clock::{self, BootMs};
use runtime::links::{ClusterName, Keys};
use tempfile::TempDir;

use crate::child::{OPENED, PLACE};

/// Plenty for whatever a node is told to do.
pub const LIMIT: Duration = Duration::from_secs(20);
/// Time between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Keys of nodes of one cluster, each in its folder.
pub struct House {
    folder: TempDir,
    pub cluster: ClusterName,
}

impl House {
    /// Founds a cluster with node 1.
    pub fn found(name: &str) -> House {
        let house = House {
            folder: TempDir::new().unwrap(),
            cluster: ClusterName::new(name).unwrap(),
        };
        Keys::found(&house.keys_of(1), &house.cluster, NodeId(1)).unwrap();
        house
    }

    pub fn keys_of(&self, node: u64) -> PathBuf {
        self.folder.path().join(format!("node-{node}"))
    }

    /// A folder with keys for another node: what joining would have made.
    pub fn join(&self, node: u64) -> PathBuf {
        let dir = self.keys_of(node);
        if !dir.exists() {
            let founder = Keys::open(&self.keys_of(1)).unwrap();
            founder.for_node(&dir, NodeId(node)).unwrap();
        }
        dir
    }

    /// Starts a node on the loopback.
    pub fn start(&self, node: u64, incarnation: u64) -> Node {
        self.start_at(node, incarnation, "127.0.0.1:0", &[])
    }

    /// Starts a node at an address, behind `before`: the way into a namespace, or nothing.
    pub fn start_at(&self, node: u64, incarnation: u64, listen: &str, before: &[&str]) -> Node {
        Node::start(node, &self.join(node), incarnation, listen, before)
    }
}

/// A node that runs; it ends with this.
pub struct Node {
    pub number: u64,
    pub address: String,
    child: Child,
    orders: Option<ChildStdin>,
    said: Receiver<String>,
}

impl Node {
    /// Starts one with the keys of a folder; seeds may follow the address where it listens.
    pub fn start(
        number: u64,
        keys: &Path,
        incarnation: u64,
        listen: &str,
        before: &[&str],
    ) -> Node {
        let own = std::env::current_exe().unwrap();
        let own = own.to_str().unwrap();
        let name = "child::a_child_is_a_node";
        let line = [before, &[own, "--exact", name, "--nocapture"]].concat();
        let mut child = Command::new(line[0])
            .args(&line[1..])
            .env(PLACE, format!("{} {incarnation} {listen}", keys.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (say, said) = mpsc::channel();
        std::thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            for line in lines {
                let is_said = line
                    .strip_prefix("> ")
                    .map(|line| say.send(line.to_owned()));
                if is_said.is_some_and(|sent| sent.is_err()) {
                    return;
                }
            }
        });
        let mut node = Node {
            number,
            address: String::new(),
            child,
            orders,
            said,
        };
        let opened = node.hear();
        let address = opened
            .strip_prefix(OPENED)
            .expect(&opened)
            .trim()
            .to_owned();
        node.address = address;
        node
    }

    /// Tells it to do something, and gives what it says.
    pub fn tell(&mut self, order: &str) -> String {
        self.order(order);
        self.hear()
    }

    /// Tells it to do something.
    pub fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().unwrap();
        writeln!(orders, "{order}").unwrap();
        orders.flush().unwrap();
    }

    /// What it says next.
    pub fn hear(&mut self) -> String {
        self.said
            .recv_timeout(LIMIT)
            .expect("the node says nothing")
    }

    /// Tells it where the others are.
    pub fn know(&mut self, others: &[(u64, &str)]) {
        let others: Vec<String> = others.iter().map(|(n, at)| format!("{n}={at}")).collect();
        assert_eq!(self.tell(&format!("know {}", others.join(" "))), "known");
    }

    /// Waits until its link with a peer is up or down; gives when that was, by its own word.
    pub fn wait_link(&mut self, peer: u64, is_up: bool) -> BootMs {
        let wanted = format!("n-{peer}={}@", if is_up { "up" } else { "down" });
        let said = wait_until(&wanted, || {
            let status = self.tell("status");
            let is_there = status.contains(&wanted);
            (is_there, status)
        });
        let since = said.split_once(&wanted).unwrap().1;
        let digits: String = since.chars().take_while(char::is_ascii_digit).collect();
        BootMs(digits.parse().unwrap())
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.child.id());
        std::fs::read_dir(folder).unwrap().count()
    }

    /// Stops it, as a debugger or a full host would.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        let tasks = format!("/proc/{}/task", self.child.id());
        wait_until("all its threads are stopped", || {
            let threads = std::fs::read_dir(&tasks).unwrap().map_while(Result::ok);
            let states: Vec<String> = threads
                .map_while(|thread| std::fs::read_to_string(thread.path().join("stat")).ok())
                .collect();
            // The state stands behind the name, which is in brackets.
            let is_stopped = |stat: &String| {
                stat.rsplit(')')
                    .next()
                    .is_some_and(|rest| rest.starts_with(" T"))
            };
            (states.iter().all(is_stopped), states.concat())
        });
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// Tells it to leave, and waits until it has.
    pub fn leave(mut self) {
        drop(self.orders.take());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Two nodes on the loopback that are linked: the second dials the first.
pub fn two_linked(house: &House) -> (Node, Node) {
    let (mut first, mut second) = (house.start(1, 1), house.start(2, 1));
    introduce(&mut first, &mut second);
    (first, second)
}

/// Tells two nodes of each other, and waits until they are linked.
pub fn introduce(first: &mut Node, second: &mut Node) {
    first.know(&[(second.number, &second.address)]);
    second.know(&[(first.number, &first.address)]);
    first.wait_link(second.number, true);
    second.wait_link(first.number, true);
}

/// Looks until it is so, and gives what was seen last.
pub fn wait_until(what: &str, mut look: impl FnMut() -> (bool, String)) -> String {
    let deadline = clock::Deadline::after(LIMIT);
    loop {
        let (is_so, seen) = look();
        if is_so {
            return seen;
        }
        assert!(
            !deadline.is_over(),
            "{what} did not come; last seen: {seen}"
        );
        std::thread::park_timeout(LOOK_AGAIN);
    }
}
