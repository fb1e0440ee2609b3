//! Where teams and workers go: a pure choice with its reason.
//!
//! # Why
//! Among the nodes that fit, spread goes first, so that one host's end takes as little as possible
//! of a team with it; then the smallest promised share, then the smallest number: the same state
//! gives the same choice everywhere, and whoever asks why gets the sentence. Nobody who has a
//! place is moved to a better one: a node that comes back is filled by what comes later.
//!
//! Whom nodes hold is counted as it changes, so that a choice costs a look at each node and no more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{Epoch, NodeId, TeamName, WorkerId};
use crate::node::{Health, Node};
use crate::state::State;
use crate::target::{is_unknown, misfit};
use crate::team::{AgentLimits, Team};

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

/// Where somebody stands, and what speaks for and against each node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Its node, and why there; none while it has no place.
    pub placed: Option<(NodeId, String)>,
    /// What would be chosen now, were it to be placed anew, or why nothing would.
    pub choice: Result<(NodeId, String), NoPlace>,
    /// Each node by its number and name, with a sentence on it.
    pub nodes: Vec<(NodeId, String, String)>,
}

/// What is promised beyond what the state says, by choices made since.
#[derive(Clone, Debug, Default)]
struct Ahead {
    cpu_milli: u64,
    memory_bytes: u64,
    butlers: u64,
    members: BTreeMap<TeamName, u64>,
}

/// Chooses nodes for one after the other, each choice with those before it in view.
#[derive(Default)]
pub struct Chooser {
    ahead: BTreeMap<NodeId, Ahead>,
}

/// Who asks for a place, and what is asked of a node.
struct Wanted<'a> {
    state: &'a State,
    labels: &'a BTreeMap<String, String>,
    takes: AgentLimits,
    team: &'a Team,
    is_butler: bool,
    placed: Option<&'a (NodeId, String)>,
}

/// How well a node fits: the smallest is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Workers of the team there, or butlers.
    crowd: u64,
    /// The share that would be promised, in thousandths.
    share: u64,
    node: NodeId,
}

impl Chooser {
    /// Begins with what the state says is promised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses a node for a butler or worker, or says why none will do.
    pub fn choose(
        &mut self,
        state: &State,
        who: &Placed,
        epoch: Epoch,
    ) -> Result<Placement, NoPlace> {
        let wanted = Wanted::by(state, who)?;
        let (node, reason) = self.best(state, &wanted)?;
        let ahead = self.ahead.entry(node).or_default();
        ahead.cpu_milli += wanted.takes.cpu_milli;
        ahead.memory_bytes += wanted.takes.memory_bytes;
        if wanted.is_butler {
            ahead.butlers += 1;
        } else {
            let team = wanted.team.spec.name.clone();
            *ahead.members.entry(team).or_default() += 1;
        }
        Ok(Placement {
            who: who.clone(),
            epoch,
            node,
            reason,
        })
    }

    fn best(&self, state: &State, wanted: &Wanted<'_>) -> Result<(NodeId, String), NoPlace> {
        let ranks = state.nodes.values();
        let ranks: Vec<Rank> = ranks
            .filter_map(|node| self.rank(node, wanted).ok())
            .collect();
        let Some(best) = ranks.iter().min() else {
            return Err(self.nowhere(state, wanted));
        };
        let node = best.node;
        let name = state.nodes.get(&node).map(|node| node.facts.name.as_str());
        let name = name.unwrap_or_default();
        let fit = ranks.len();
        let as_empty = ranks.iter().filter(|rank| rank.crowd == best.crowd);
        let as_good = as_empty.clone().filter(|rank| rank.share == best.share);
        let (as_empty, as_good) = (as_empty.count(), as_good.count());
        let crowd = wanted.crowd(best.crowd);
        let share = percent(best.share);
        let reason = if fit == 1 {
            format!("{name} is the only node that fits")
        } else if as_empty == 1 {
            format!("{name} has the fewest {crowd} of {fit} that fit")
        } else if as_good == 1 {
            format!("{name} has the least promised ({share}) of {as_empty} with as few {crowd}")
        } else {
            format!("{name} is the first of {as_good} that fit equally well")
        };
        Ok((node, reason))
    }

    fn nowhere(&self, state: &State, wanted: &Wanted<'_>) -> NoPlace {
        let why = |node: &Node| {
            let why = self.rank(node, wanted).err()?;
            Some(format!("{}: {why}", node.facts.name))
        };
        let told: Vec<String> = state.nodes.values().filter_map(why).take(REASONS).collect();
        if told.is_empty() {
            return NoPlace("no node has joined".to_owned());
        }
        let more = state.nodes.len() - told.len();
        let mut told = told.join("; ");
        if more > 0 {
            told = format!("{told}; and {more} more nodes");
        }
        NoPlace(told)
    }

    /// How well a node fits, or why it does not.
    fn rank(&self, node: &Node, wanted: &Wanted<'_>) -> Result<Rank, String> {
        takes_new(node)?;
        wanted.has_a_way_out(node)?;
        for (key, value) in wanted.labels {
            match node.facts.labels.get(key) {
                Some(has) if has == value => {}
                Some(has) => return Err(format!("label {key} is {has}, not {value}")),
                None => return Err(format!("label {key} is not set")),
            }
        }
        // Limits bound what an agent may take, not what it takes: a node promises more than it has,
        // and the share only ranks. A container larger than the whole node is refused all the same.
        let takes = &wanted.takes;
        if takes.memory_bytes > node.facts.memory_bytes {
            return Err(format!(
                "memory {} MiB is all it has, {} MiB are asked for",
                node.facts.memory_bytes >> 20,
                takes.memory_bytes >> 20
            ));
        }
        let id = node.facts.node;
        let ahead = self.ahead.get(&id);
        let (cpu, memory) = ahead.map_or((0, 0), |ahead| (ahead.cpu_milli, ahead.memory_bytes));
        let cpu = share(
            node.cpu_promised_milli + cpu + takes.cpu_milli,
            node.facts.cpu_milli,
        );
        let memory = share(
            node.memory_promised_bytes + memory + takes.memory_bytes,
            node.facts.memory_bytes,
        );
        let team = &wanted.team.spec.name;
        let crowd = if wanted.is_butler {
            node.butlers.len() as u64 + ahead.map_or(0, |ahead| ahead.butlers)
        } else {
            let members = wanted.team.spread.get(&id).copied().unwrap_or_default();
            let more = ahead.and_then(|ahead| ahead.members.get(team).copied());
            members + more.unwrap_or_default()
        };
        Ok(Rank {
            crowd,
            share: cpu.max(memory),
            node: id,
        })
    }
}

/// Nodes that a sentence names before it says how many more there are.
const REASONS: usize = 8;

impl<'a> Wanted<'a> {
    fn by(state: &'a State, who: &Placed) -> Result<Self, NoPlace> {
        let name = match who {
            Placed::Team(team) => team,
            Placed::Worker(worker) => &worker.team,
        };
        let Some(team) = state.teams.get(name) else {
            return Err(NoPlace(format!("there is no team {name}")));
        };
        match who {
            Placed::Team(_) => Ok(Self {
                state,
                labels: &team.spec.labels,
                takes: NOTHING,
                team,
                is_butler: true,
                placed: team.placed.as_ref(),
            }),
            Placed::Worker(id) => match state.workers.get(id) {
                Some(worker) => Ok(Self {
                    state,
                    labels: &worker.spec.labels,
                    takes: worker.spec.agent.limits,
                    team,
                    is_butler: false,
                    placed: worker.placed.as_ref(),
                }),
                None => Err(NoPlace(format!("there is no worker {id}"))),
            },
        }
    }

    /// Whether a worker's agent can reach its targets from a node; a butler itself reaches none.
    fn has_a_way_out(&self, node: &Node) -> Result<(), String> {
        let team = &self.team.spec.name;
        if self.is_butler {
            return Ok(());
        }
        if is_unknown(self.state, node, team) {
            return Err("it has not said yet which targets' secrets it has".to_owned());
        }
        misfit(self.state, node, team).map_or(Ok(()), Err)
    }

    /// How many are counted, in words.
    fn crowd(&self, count: u64) -> String {
        if self.is_butler {
            format!("butlers ({count})")
        } else {
            format!("workers of {} ({count})", self.team.spec.name)
        }
    }
}

/// What a butler takes of its node: it is an actor of the daemon.
const NOTHING: AgentLimits = AgentLimits {
    cpu_milli: 0,
    memory_bytes: 0,
    pids: 0,
    output_bytes: 0,
    wall_ms: 0,
};

/// Where a butler or worker stands, and a sentence on each node.
pub fn explain(state: &State, who: &Placed) -> Result<Explained, NoPlace> {
    let wanted = Wanted::by(state, who)?;
    let chooser = Chooser::new();
    let choice = chooser.best(state, &wanted);
    let sentence = |node: &Node| match chooser.rank(node, &wanted) {
        Ok(rank) => format!(
            "fits: {}, {} promised with it",
            wanted.crowd(rank.crowd),
            percent(rank.share)
        ),
        Err(why) => why,
    };
    let nodes = state.nodes.values().map(|node| {
        let stands = wanted.placed.is_some_and(|(at, _)| *at == node.facts.node);
        let told = if stands {
            "it stands here".to_owned()
        } else {
            sentence(node)
        };
        (node.facts.node, node.facts.name.clone(), told)
    });
    Ok(Explained {
        placed: wanted.placed.cloned(),
        choice,
        nodes: nodes.collect(),
    })
}

/// Why nothing new is put on a node, where that is so.
pub(crate) fn takes_new(node: &Node) -> Result<(), String> {
    if node.health != Health::Up {
        return Err(format!("it is {}: {}", node.health, node.health_because));
    }
    match &node.drained {
        Some(reason) if reason.is_empty() => Err("it is drained".to_owned()),
        Some(reason) => Err(format!("it is drained: {reason}")),
        None => Ok(()),
    }
}

fn percent(share: u64) -> String {
    format!("{}.{} %", share / 10, share % 10)
}

fn share(promised: u64, has: u64) -> u64 {
    promised.saturating_mul(1000) / has.max(1)
}
