//! A deed: what a human had one node do by itself, which changes nothing in the state.
//!
//! # Why
//! A secret that a node is given, or a persona that it breaks on purpose, concerns no other node; but
//! nothing happens off the record, so the node says it, and what it says is an entry like any other.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{TargetName, TeamName, WorkerId};
use crate::right::Right;

/// What was done. It holds names only, so that a record can tell it.
///
/// The place of each among the others is part of the ledger's format: new ones come last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// The node was given a target's secret.
    SetSecret(TargetName),
    /// It forgot a target's secret.
    RemoveSecret(TargetName),
    /// It tried a target with its secret.
    CheckTarget(TargetName),
    /// It held the Manager dead.
    HoldManager,
    /// It let him live again.
    ReleaseManager,
    /// It crashed the Manager.
    CrashManager,
    /// It crashed its janitor.
    CrashJanitor,
    /// It crashed a team's butler.
    CrashButler(TeamName),
    /// It crashed a worker.
    CrashWorker(WorkerId),
    /// It handed out all that the cluster keeps.
    Backup,
    /// It handed out the whole record.
    ExportAudit,
    /// It took its clock for so many seconds later than it is; 0 ended that.
    SetClock {
        /// Less than nothing is earlier.
        ahead_s: i32,
    },
}

impl Deed {
    /// What it takes.
    pub fn right(&self) -> Right {
        match self {
            Self::ExportAudit => Right::ReadAudit,
            Self::SetSecret(_)
            | Self::RemoveSecret(_)
            | Self::CheckTarget(_)
            | Self::HoldManager
            | Self::ReleaseManager
            | Self::CrashManager
            | Self::CrashJanitor
            | Self::CrashButler(_)
            | Self::CrashWorker(_)
            | Self::Backup
            | Self::SetClock { .. } => Right::ManageCluster,
        }
    }

    /// Whether everything of everybody leaves the cluster by it.
    pub fn hands_out_everything(&self) -> bool {
        matches!(self, Self::Backup | Self::ExportAudit)
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetSecret(target) => write!(f, "set the secret of {target}"),
            Self::RemoveSecret(target) => write!(f, "removed the secret of {target}"),
            Self::CheckTarget(target) => write!(f, "checked target {target}"),
            Self::HoldManager => f.write_str("held the Manager dead"),
            Self::ReleaseManager => f.write_str("let the Manager live"),
            Self::CrashManager => f.write_str("crashed the Manager"),
            Self::CrashJanitor => f.write_str("crashed the janitor"),
            Self::CrashButler(team) => write!(f, "crashed the butler of {team}"),
            Self::CrashWorker(worker) => write!(f, "crashed worker {worker}"),
            Self::Backup => f.write_str("handed out a backup"),
            Self::ExportAudit => f.write_str("handed out the record"),
            Self::SetClock { ahead_s: 0 } => f.write_str("had its own clock count again"),
            Self::SetClock { ahead_s } => write!(f, "set its clock {ahead_s:+} s off"),
        }
    }
}
