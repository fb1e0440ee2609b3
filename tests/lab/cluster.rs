//! Some real nodes that are one cluster, each with its own folder and address of the loopback.

use std::net::TcpListener;

use serde_json::Value;

use super::answer::Answer;
use super::folder::Lab;
use super::node::{Engine, Node};
use super::wait::wait_until;
use std::time::Duration;

/// Nodes find each other within seconds; with both cores busy it may take this long.
const FORM_LIMIT: Duration = Duration::from_mins(1);

/// A cluster; its nodes are numbered from 1.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
}

impl Cluster {
    /// Starts so many nodes, and waits until all of them vote.
    pub fn start(lab: &Lab, engine: &Engine, count: usize) -> Cluster {
        let mut cluster = Cluster { nodes: Vec::new() };
        let first = Node::named(lab, "n1", engine, &[]);
        let place = [("--name", "n1".to_owned()), ("--listen", free_address(1))];
        first
            .domo(&enroll(&["cluster", "init"], &first, &place))
            .ok();
        cluster.run(first);
        for number in 2..=count {
            let node = cluster.joining(lab, engine, number).1;
            cluster.run(node);
        }
        for number in 1..=count {
            cluster.wait_status(number, "every node votes", |status| {
                voters(status) == count && status["cluster"]["leader"].is_string()
            });
        }
        cluster
    }

    /// Joins one more node under this number, and waits for nothing.
    pub fn joining(&self, lab: &Lab, engine: &Engine, number: usize) -> (Answer, Node) {
        let token = self.token();
        let name = format!("n{number}");
        let node = Node::named(lab, &name, engine, &[]);
        let place = [("--name", name), ("--listen", free_address(number))];
        let answer = node.domo(&enroll(&["node", "join", &token], &node, &place));
        (answer, node)
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
fn voters(status: &Value) -> usize {
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

/// A port of a loopback address that nobody uses.
fn free_address(number: usize) -> String {
    let listener = TcpListener::bind((format!("127.0.0.{number}"), 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.expect("the loopback has free ports").to_string()
}
