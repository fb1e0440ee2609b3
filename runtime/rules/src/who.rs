//! Who speaks: a human, a node, the ledger or a persona in one of its incarnations.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{Epoch, HumanName, NodeId, TeamName, TokenName, WorkerId};

/// Who asks, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The one who speaks.
    pub who: Who,
    /// The human for whom a persona speaks: it then has the rights of both, never more.
    pub on_behalf_of: Option<HumanName>,
    /// The token by which a human is known, where it is one: they may do what it is good for.
    pub token: Option<TokenName>,
}

/// The kinds of those who may ask; a persona names the incarnation that it is, which fences it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    /// A person.
    Human(HumanName),
    /// A node, speaking of itself.
    Node(NodeId),
    /// The ledger's leader: it counts time.
    Ledger,
    /// The Manager of a term.
    Manager {
        /// The leader's term.
        term: u64,
    },
    /// The butler of a team.
    Butler {
        /// Its team.
        team: TeamName,
        /// Its team's epoch.
        epoch: Epoch,
    },
    /// A worker.
    Worker {
        /// Which one.
        worker: WorkerId,
        /// Its epoch.
        epoch: Epoch,
    },
}

impl Principal {
    /// A human, speaking for themself.
    pub fn human(name: HumanName) -> Self {
        Self {
            who: Who::Human(name),
            on_behalf_of: None,
            token: None,
        }
    }

    /// A persona, a node or the ledger, speaking for itself.
    pub fn own(who: Who) -> Self {
        Self {
            who,
            on_behalf_of: None,
            token: None,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.who {
            Who::Human(name) => write!(f, "{name}"),
            Who::Node(node) => write!(f, "node {node}"),
            Who::Ledger => f.write_str("ledger"),
            Who::Manager { .. } => f.write_str("manager"),
            Who::Butler { team, .. } => write!(f, "butler of {team}"),
            Who::Worker { worker, .. } => write!(f, "worker {worker}"),
        }?;
        self.on_behalf_of
            .as_ref()
            .map_or(Ok(()), |human| write!(f, " for {human}"))
    }
}
