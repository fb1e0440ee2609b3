//! Some real nodes that are one cluster, each with its own folder, and its own address of the
//! loopback or its own host.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::answer::Answer;
use super::disk::SmallDisk;
use super::docker::DockerEngine;
use super::folder::Lab;
use super::http;
use super::net::{Host, Net};
use super::node::{Engine, Node};
use super::wait::wait_until;
use std::time::Duration;

/// Nodes find each other within seconds; with both cores busy it may take this long.
const FORM_LIMIT: Duration = Duration::from_mins(1);

/// A node that does not say how it is within this is left out.
const LOOK_LIMIT: Duration = Duration::from_millis(300);
/// The role of a node that votes whatever the cluster would choose.
const PINNED: &str = "voter";
/// The port that nodes on hosts of their own listen on.
pub(crate) const PORT: u16 = 7400;

/// A cluster; its nodes are numbered from 1.
#[derive(Debug)]
pub struct Cluster {
    // The nodes go before the network that they are on.
    nodes: Vec<Node>,
    net: Option<Net>,
    engine: Option<DockerEngine>,
    disks: BTreeMap<usize, SmallDisk>,
    /// Whether more nodes vote than a cluster has vote by itself.
    all_vote: bool,
    break_off: Arc<AtomicBool>,
}

/// What a node is to its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It leads.
    Leader,
    /// It votes, and does not lead.
    Follower,
    /// It only hosts teams and workers.
    Host,
}

impl Cluster {
    /// Starts so many nodes, and waits until all of them vote.
    pub fn start(lab: &Lab, engine: &Engine, count: usize) -> Cluster {
        Cluster::start_of(count, |number| {
            Node::named(lab, &format!("n{number}"), engine, &[])
        })
    }

    /// The same with nodes as `build` makes them of their numbers.
    pub fn start_of(count: usize, build: impl Fn(usize) -> Node) -> Cluster {
        let mut cluster = Cluster::empty(None, count);
        cluster.found(build(1));
        for number in 2..=count {
            let node = build(number);
            cluster.join(&node, number).ok();
            cluster.run(node);
        }
        cluster.wait_formed();
        cluster
    }

    /// Starts so many nodes on hosts of their own, as `build` makes them of their numbers, and
    /// waits until all of them vote.
    ///
    /// # Panics
    /// When they are not a cluster in time.
    pub fn start_apart(count: usize, build: impl Fn(usize) -> Node) -> Cluster {
        Cluster::start_of_voters(count, count, build)
    }

    /// The same where so many of them vote: three of more, or all.
    ///
    /// # Panics
    /// When they are not a cluster in time.
    pub fn start_of_voters(voters: usize, count: usize, build: impl Fn(usize) -> Node) -> Cluster {
        let mut net = Net::new();
        let mut nodes = (1..=count).map(|number| {
            let host = net.host(&format!("n{number}"));
            build(number).on(host)
        });
        let first = nodes.next().expect("a cluster has nodes");
        let others: Vec<Node> = nodes.collect();
        let mut cluster = Cluster::empty(Some(net), voters);
        cluster.found(first);
        for (at, node) in others.into_iter().enumerate() {
            cluster.join(&node, at + 2).ok();
            cluster.run(node);
        }
        if cluster.voting_role() == PINNED {
            for number in 1..=count {
                let line = ["node", "promote", &format!("n{number}")];
                cluster.node(1).domo(&line).ok();
            }
        }
        cluster.wait_formed();
        cluster
    }

    fn empty(net: Option<Net>, voters: usize) -> Cluster {
        Cluster {
            nodes: Vec::new(),
            net,
            engine: None,
            disks: BTreeMap::new(),
            all_vote: voters > rules::limits::WANTED_VOTERS,
            break_off: Arc::default(),
        }
    }

    /// The role in which each of its nodes votes: of many, a cluster has only some vote by itself.
    pub(crate) fn voting_role(&self) -> &'static str {
        if self.all_vote { PINNED } else { "auto" }
    }

    /// How many of its nodes vote when all is well.
    pub(crate) fn wanted_voters(&self) -> usize {
        if self.all_vote {
            self.size()
        } else {
            self.size().min(rules::limits::WANTED_VOTERS)
        }
    }

    /// What clients look at before they say anything: whether they are to break off.
    pub(crate) fn broken_off(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.break_off)
    }

    /// Has clients break off in the middle of what they say, or no more.
    pub(crate) fn have_clients_break_off(&mut self, is_so: bool) {
        self.break_off.store(is_so, Ordering::Relaxed);
    }

    /// The host of the node of that number.
    ///
    /// # Panics
    /// When it has none of its own.
    pub fn host(&self, number: usize) -> &Host {
        let host = self.node(number).host();
        host.expect("the cluster was started apart")
    }

    /// One more host of the network that its nodes are on, for something else.
    ///
    /// # Panics
    /// When the cluster was not started apart, or the host cannot be made.
    pub fn another_host(&mut self, name: &str) -> Host {
        let net = self.net.as_mut();
        net.expect("the cluster was started apart").host(name)
    }

    /// Counts in the engine that all its nodes use: it is its own, to be broken, and ends with it.
    pub fn own_engine(&mut self, engine: DockerEngine) {
        self.engine = Some(engine);
    }

    /// Its own engine, where it has one.
    pub fn engine(&mut self) -> Option<&mut DockerEngine> {
        self.engine.as_mut()
    }

    /// Counts in the disk on which that node keeps all that it has.
    pub fn own_disk(&mut self, number: usize, disk: SmallDisk) {
        self.disks.insert(number, disk);
    }

    /// The small disk of the node of that number, where it has one.
    pub fn disk(&self, number: usize) -> Option<&SmallDisk> {
        self.disks.get(&number)
    }

    /// How many nodes it has.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    fn found(&mut self, first: Node) {
        let place = [
            ("--name", "n1".to_owned()),
            ("--listen", address(&first, 1)),
        ];
        first
            .domo(&enroll(&["cluster", "init"], &first, &place))
            .ok();
        self.run(first);
    }

    /// Waits until as many nodes vote as are wanted, and every node knows who leads.
    pub fn wait_formed(&self) {
        for number in 1..=self.size() {
            self.wait_status(number, "as many nodes vote as should", |status| {
                voters(status) == self.wanted_voters() && status["cluster"]["leader"].is_string()
            });
        }
    }

    /// Joins one more node under this number, and waits for nothing.
    pub fn joining(&self, lab: &Lab, engine: &Engine, number: usize) -> (Answer, Node) {
        let node = Node::named(lab, &format!("n{number}"), engine, &[]);
        let answer = self.join(&node, number);
        (answer, node)
    }

    fn join(&self, node: &Node, number: usize) -> Answer {
        let token = self.token();
        let place = [
            ("--name", format!("n{number}")),
            ("--listen", address(node, number)),
        ];
        node.domo(&enroll(&["node", "join", &token], node, &place))
    }

    /// A join token.
    ///
    /// # Panics
    /// When none is made.
    pub fn token(&self) -> String {
        let minted = self.nodes[0].ask(&["cluster", "token"]);
        minted["token"].as_str().expect("a token").to_owned()
    }

    /// Runs a node's daemon and counts it in.
    pub fn run(&mut self, mut node: Node) {
        node.start_again();
        self.nodes.push(node);
    }

    /// The node of that number.
    pub fn node(&self, number: usize) -> &Node {
        &self.nodes[number - 1]
    }

    /// The same, to be killed or started.
    pub fn node_mut(&mut self, number: usize) -> &mut Node {
        &mut self.nodes[number - 1]
    }

    /// Which node leads, as one of them sees it.
    pub fn leader_seen_by(&self, number: usize) -> usize {
        let seen = self.wait_status(number, "somebody leads", |status| {
            status["cluster"]["leader"].is_string()
        });
        let leader = seen["cluster"]["leader"].as_str().unwrap_or_default();
        let number = leader.trim_start_matches("n-").parse();
        number.unwrap_or_else(|_| panic!("{leader} is no node"))
    }

    /// Which node leads now, as the one that does says itself; none where nobody says so.
    pub fn leader_now(&self) -> Option<usize> {
        self.standings().0
    }

    /// The same, and which nodes vote as those that answer know it.
    pub(crate) fn standings(&self) -> (Option<usize>, Vec<usize>) {
        let look = |number: usize| {
            let socket = self.node(number).socket();
            let look = ("GET", "/v1/status");
            let reply = http::wish(&socket, look, None, "", LOOK_LIMIT).ok()?;
            serde_json::from_str(&reply.body).ok()
        };
        let seen = (1..=self.size()).filter_map(|number| Some((number, look(number)?)));
        let seen: Vec<(usize, Value)> = seen.collect();
        let term = |status: &Value| status["cluster"]["term"].as_u64();
        // A node that is cut off may think so still: the latest term counts.
        let leads = |status: &&Value| status["cluster"]["leader"] == status["node"]["id"];
        let leaders = seen.iter().filter(|(_, status)| leads(&status));
        let leader = leaders.max_by_key(|(_, status)| term(status));
        let newest = seen.iter().max_by_key(|(_, status)| term(status));
        let nodes = newest.and_then(|(_, status)| status["cluster"]["nodes"].as_array());
        let voters = nodes
            .into_iter()
            .flatten()
            .filter(|node| node["is_voter"] == true);
        let number = |node: &Value| node["id"].as_str()?.trim_start_matches("n-").parse().ok();
        (
            leader.map(|(number, _)| *number),
            voters.filter_map(number).collect(),
        )
    }

    /// Which node leads once that one does not, as another of them sees it.
    pub fn leader_after(&self, old: usize, seen_by: usize) -> usize {
        wait_until(FORM_LIMIT, "another node leads", || {
            match self.leader_seen_by(seen_by) {
                leader if leader == old => Err(format!("{leader} leads")),
                leader => Ok(leader),
            }
        })
    }

    /// Waits until a node's status is as it should be, and shows it.
    pub fn wait_status(&self, number: usize, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        wait_until(FORM_LIMIT, &format!("n{number}: {what}"), || {
            let status = self.node(number).ask(&["status"]);
            if is_so(&status) {
                Ok(status)
            } else {
                Err(status["cluster"].to_string())
            }
        })
    }
}

/// Nodes that vote and have said what they are.
pub(crate) fn voters(status: &Value) -> usize {
    let nodes = status["cluster"]["nodes"].as_array();
    let votes = |node: &&Value| node["is_voter"] == true && node["cpu_milli"] != 0;
    nodes.map_or(0, |nodes| nodes.iter().filter(votes).count())
}

/// The command line that makes a node's folder its own.
fn enroll<'a>(verb: &[&'a str], node: &'a Node, place: &'a [(&'a str, String); 2]) -> Vec<&'a str> {
    let data = node.data().to_str().expect("the lab's paths are text");
    let mut line = verb.to_vec();
    line.extend(["--data", data]);
    for (flag, value) in place {
        line.extend([flag, value.as_str()]);
    }
    line
}

/// Where a node is to listen: on its own host, or where nobody else does.
fn address(node: &Node, number: usize) -> String {
    let on_host = node.host().map(|host| format!("{}:{PORT}", host.address()));
    on_host.unwrap_or_else(|| free_address(number))
}

/// A port of a loopback address that nobody uses.
pub fn free_address(number: usize) -> String {
    let listener = TcpListener::bind((format!("127.0.0.{number}"), 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.expect("the loopback has free ports").to_string()
}
