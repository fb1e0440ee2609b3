//! A read: what can be looked at, and the one row of the matrix that each needs.
//!
//! # Invariant
//! No read is without a row: the tables are matches without a wildcard.

use crate::right::Right;

/// What can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// How the interface is described.
    Interface,
    /// How the node and its cluster are.
    Status,
    /// The ledger's time.
    Clock,
    /// What a node takes in.
    Limits,
    /// The nodes.
    Nodes,
    /// The tokens with which nodes join.
    JoinTokens,
    /// The organisation's policies.
    Policies,
    /// A blob by its digest alone.
    Blob,
    /// The teams, those that the asker may read.
    Teams,
    /// A team.
    Team,
    /// The workers, those of teams that the asker may read.
    Workers,
    /// A worker.
    Worker,
    /// What a worker's agent wrote.
    WorkerLogs,
    /// The humans, those of teams that the asker may read.
    Humans,
    /// A human: the asker, or one of a team that the asker may read.
    Human,
    /// The cases, those of teams that the asker may read.
    Cases,
    /// A case.
    Case,
    /// What happens to a case, as it happens.
    Watch,
    /// What the agents of a case wrote.
    CaseLogs,
    /// The files of a case.
    Files,
    /// A file of a case.
    File,
    /// The report of a case.
    Report,
    /// All that the cluster keeps.
    Backup,
    /// The targets.
    Targets,
    /// Which secrets a node has.
    Secrets,
    /// What can be broken on purpose, and what is.
    Chaos,
    /// The record of who asked what, of those teams whose record the asker may read.
    Audit,
    /// All of the record: its head, whether it is whole, and an export.
    WholeAudit,
    /// The rooms, those that the asker may enter.
    Rooms,
    /// A room: which right it takes depends on whose it is.
    Room,
    /// What is said and done in it, as it comes.
    WatchRoom,
}

/// What a read is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The cluster as a whole.
    Cluster,
    /// A team, or something of it.
    Team,
    /// A case, and so the team that it belongs to.
    Case,
    /// A room.
    Room,
    /// Rows of many teams: whoever may look around gets those that they have the right to.
    Rows,
}

impl Read {
    /// The right that it needs where it is about something.
    pub fn right(self) -> Right {
        match self {
            Self::Interface | Self::Status | Self::Clock | Self::Limits | Self::Nodes => {
                Right::LookAround
            }
            Self::JoinTokens
            | Self::Policies
            | Self::Blob
            | Self::Backup
            | Self::Targets
            | Self::Secrets
            | Self::Chaos => Right::ManageCluster,
            Self::Teams
            | Self::Team
            | Self::Workers
            | Self::Worker
            | Self::WorkerLogs
            | Self::Humans
            | Self::Human
            | Self::Cases
            | Self::Case
            | Self::Watch
            | Self::CaseLogs
            | Self::Files
            | Self::File
            | Self::Report
            | Self::Rooms
            | Self::Room
            | Self::WatchRoom => Right::ReadTeam,
            Self::Audit | Self::WholeAudit => Right::ReadAudit,
        }
    }

    /// What it is about.
    pub fn about(self) -> About {
        match self {
            Self::Interface
            | Self::Status
            | Self::Clock
            | Self::Limits
            | Self::Nodes
            | Self::JoinTokens
            | Self::Policies
            | Self::Blob
            | Self::Backup
            | Self::Targets
            | Self::Secrets
            | Self::Chaos
            | Self::WholeAudit => About::Cluster,
            Self::Team | Self::Worker | Self::WorkerLogs => About::Team,
            Self::Teams
            | Self::Workers
            | Self::Humans
            | Self::Human
            | Self::Cases
            | Self::Audit
            | Self::Rooms => About::Rows,
            Self::Room | Self::WatchRoom => About::Room,
            Self::Case | Self::Watch | Self::CaseLogs | Self::Files | Self::File | Self::Report => {
                About::Case
            }
        }
    }
}
