//! Where teams and workers go: a pure choice with its reason.
//!
//! # Why
//! The node with the smallest promised share wins, and equal shares go to the smallest number:
//! the same state gives the same choice everywhere, and whoever asks why gets the sentence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{Epoch, NodeId, TeamName, WorkerId};
use crate::node::Node;
use crate::state::State;
use crate::team::AgentLimits;

/// Who is placed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Placed {
    /// A team's butler.
    Team(TeamName),
    /// A worker.
    Worker(WorkerId),
}

/// A choice of the Manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Who goes.
    pub who: Placed,
    /// The epoch that the Manager saw: a choice that was made on an older one is refused.
    pub epoch: Epoch,
    /// Where.
    pub node: NodeId,
    /// Why there.
    pub reason: String,
}

/// Why there is no place now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoPlace(pub String);

/// Chooses nodes for one after the other, each choice with those before it in view.
pub struct Chooser {
    nodes: BTreeMap<NodeId, Node>,
}

impl Chooser {
    /// Begins with what is promised in `state`.
    pub fn new(state: &State) -> Self {
        Self {
            nodes: state.nodes.clone(),
        }
    }

    /// Chooses a node for a butler or worker, or says why none will do.
    pub fn choose(
        &mut self,
        state: &State,
        who: &Placed,
        epoch: Epoch,
    ) -> Result<Placement, NoPlace> {
        let nothing = AgentLimits {
            cpu_milli: 0,
            memory_bytes: 0,
            pids: 0,
            output_bytes: 0,
        };
        let (labels, takes) = match who {
            Placed::Team(team) => match state.teams.get(team) {
                Some(team) => (&team.spec.labels, nothing),
                None => return Err(NoPlace(format!("there is no team {team}"))),
            },
            Placed::Worker(worker) => match state.workers.get(worker) {
                Some(worker) => (&worker.spec.labels, worker.spec.agent.limits),
                None => return Err(NoPlace(format!("there is no worker {worker}"))),
            },
        };
        let (node, reason) = self.least(labels, &takes)?;
        if let Some(node) = self.nodes.get_mut(&node) {
            node.cpu_promised_milli += takes.cpu_milli;
            node.memory_promised_bytes += takes.memory_bytes;
        }
        Ok(Placement {
            who: who.clone(),
            epoch,
            node,
            reason,
        })
    }

    fn least(
        &self,
        labels: &BTreeMap<String, String>,
        takes: &AgentLimits,
    ) -> Result<(NodeId, String), NoPlace> {
        let mut refused = Vec::new();
        let mut best: Option<(u64, NodeId, &Node)> = None;
        for (id, node) in &self.nodes {
            match fits(node, labels, takes) {
                Ok(share) if best.is_none_or(|(least, ..)| share < least) => {
                    best = Some((share, *id, node));
                }
                Ok(_) => {}
                Err(why) => refused.push(format!("{}: {why}", node.facts.name)),
            }
        }
        match best {
            Some((share, id, node)) => {
                let fit = self.nodes.len() - refused.len();
                let (name, percent, tenth) = (&node.facts.name, share / 10, share % 10);
                let reason = format!(
                    "{name} has the least promised ({percent}.{tenth} %) of {fit} that fit"
                );
                Ok((id, reason))
            }
            None if self.nodes.is_empty() => Err(NoPlace("no node has joined".to_owned())),
            None => Err(NoPlace(refused.join("; "))),
        }
    }
}

/// The share of the node that would be promised, in thousandths, or why it does not fit.
fn fits(
    node: &Node,
    labels: &BTreeMap<String, String>,
    takes: &AgentLimits,
) -> Result<u64, String> {
    for (key, wanted) in labels {
        match node.facts.labels.get(key) {
            Some(has) if has == wanted => {}
            Some(has) => return Err(format!("label {key} is {has}, not {wanted}")),
            None => return Err(format!("label {key} is not set")),
        }
    }
    // Limits bound what an agent may take, not what it takes: a node promises more than it has,
    // and the share only ranks. A container larger than the whole node is refused all the same.
    if takes.memory_bytes > node.facts.memory_bytes {
        return Err(format!(
            "memory {} MiB is all it has, {} MiB are asked for",
            node.facts.memory_bytes >> 20,
            takes.memory_bytes >> 20
        ));
    }
    let cpu = share(
        node.cpu_promised_milli + takes.cpu_milli,
        node.facts.cpu_milli,
    );
    let memory = share(
        node.memory_promised_bytes + takes.memory_bytes,
        node.facts.memory_bytes,
    );
    Ok(cpu.max(memory))
}

fn share(promised: u64, has: u64) -> u64 {
    promised.saturating_mul(1000) / has.max(1)
}
