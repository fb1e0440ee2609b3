//! A right: one row of the permission matrix, and what is demanded of whoever asks.
//!
//! # Invariant
//! Every command and every read demands at least one right, and each part of it exactly one.
//!
//! # Why
//! The rules name the rights and say what each command demands; who holds them is for the policies
//! to say, which stand outside. So the policies may change, and no command can be forgotten.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::TeamName;

/// A row of the permission matrix.
///
/// The place of each among the others is part of the ledger's format: new ones come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Right {
    /// All actions of the Manager, such as giving a case its team.
    Manage,
    /// Creating and destroying teams.
    ManageTeams,
    /// Creating workers.
    CreateWorker,
    /// Creating human accounts, and giving them roles and tokens.
    ManageHumans,
    /// The butler's SOUL, skills and playbooks.
    ManageButler,
    /// A worker's SOUL and skills.
    ManageWorker,
    /// Talking to the butler.
    TalkToButler,
    /// Talking to a worker.
    TalkToWorker,
    /// Creating cases.
    CreateCase,
    /// Reading a team's cases, room and reports.
    ReadTeam,
    /// Pausing, resuming, amending and cancelling a case, and answering a stage of it.
    SteerCase,
    /// Approving a stage.
    Approve,
    /// Settling parked effects, replacing and removing workers, revoking a team's tokens.
    Settle,
    /// Reading the audit.
    ReadAudit,
    /// Nodes, targets, policies, backup and chaos.
    ManageCluster,
    /// Making somebody an admin.
    ManageAdmins,
    /// Looking at the cluster as a whole: how it is, how it is described.
    LookAround,
    /// Handing over bytes that a command will name.
    HandOver,
    /// One's own account and its tokens.
    OwnAccount,
    /// Governing: placing teams and workers, judging nodes.
    Govern,
    /// Scheduling a team: planning its cases and reporting them.
    Schedule,
    /// Reporting on an attempt, its effects among it.
    ReportAttempt,
    /// Speaking for a node.
    SpeakForNode,
    /// Counting time, and noting what was denied.
    KeepLedger,
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::Manage,
        Self::ManageTeams,
        Self::CreateWorker,
        Self::ManageHumans,
        Self::ManageButler,
        Self::ManageWorker,
        Self::TalkToButler,
        Self::TalkToWorker,
        Self::CreateCase,
        Self::ReadTeam,
        Self::SteerCase,
        Self::Approve,
        Self::Settle,
        Self::ReadAudit,
        Self::ManageCluster,
        Self::ManageAdmins,
        Self::LookAround,
        Self::HandOver,
        Self::OwnAccount,
        Self::Govern,
        Self::Schedule,
        Self::ReportAttempt,
        Self::SpeakForNode,
        Self::KeepLedger,
    ];

    /// Its name, as policies write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Manage => "manage",
            Self::ManageTeams => "manageTeams",
            Self::CreateWorker => "createWorker",
            Self::ManageHumans => "manageHumans",
            Self::ManageButler => "manageButler",
            Self::ManageWorker => "manageWorker",
            Self::TalkToButler => "talkToButler",
            Self::TalkToWorker => "talkToWorker",
            Self::CreateCase => "createCase",
            Self::ReadTeam => "readTeam",
            Self::SteerCase => "steerCase",
            Self::Approve => "approve",
            Self::Settle => "settle",
            Self::ReadAudit => "readAudit",
            Self::ManageCluster => "manageCluster",
            Self::ManageAdmins => "manageAdmins",
            Self::LookAround => "lookAround",
            Self::HandOver => "handOver",
            Self::OwnAccount => "ownAccount",
            Self::Govern => "govern",
            Self::Schedule => "schedule",
            Self::ReportAttempt => "reportAttempt",
            Self::SpeakForNode => "speakForNode",
            Self::KeepLedger => "keepLedger",
        }
    }

    /// What whoever has it may do, after "may" or "the right to".
    pub fn deed(self) -> &'static str {
        match self {
            Self::Manage => "speak to the Manager, route cases or read other people's direct rooms",
            Self::ManageTeams => "create or destroy teams",
            Self::CreateWorker => "create workers",
            Self::ManageHumans => "create accounts and give roles",
            Self::ManageButler => "change the butler or its playbooks",
            Self::ManageWorker => "change workers",
            Self::TalkToButler => "talk to the butler",
            Self::TalkToWorker => "talk to workers",
            Self::CreateCase => "create cases",
            Self::ReadTeam => "read cases and reports",
            Self::SteerCase => "steer a case that somebody else opened",
            Self::Approve => "approve",
            Self::Settle => "settle effects or replace workers",
            Self::ReadAudit => "read the audit",
            Self::ManageCluster => "manage nodes, targets and policies",
            Self::ManageAdmins => "manage admins",
            Self::LookAround => "look at the cluster",
            Self::HandOver => "hand over files",
            Self::OwnAccount => "manage an account that is somebody else's",
            Self::Govern => "govern the cluster",
            Self::Schedule => "schedule a team",
            Self::ReportAttempt => "report on an attempt",
            Self::SpeakForNode => "speak for a node",
            Self::KeepLedger => "keep the ledger",
        }
    }

    /// Who could give it to whoever lacks it.
    pub(crate) fn grant(self) -> Grant {
        match self {
            Self::Manage
            | Self::ManageTeams
            | Self::ManageCluster
            | Self::ManageAdmins
            | Self::LookAround
            | Self::HandOver
            | Self::OwnAccount => Grant::Admin,
            Self::CreateWorker
            | Self::ManageHumans
            | Self::ManageButler
            | Self::ManageWorker
            | Self::SteerCase
            | Self::Approve
            | Self::Settle
            | Self::ReadAudit => Grant::Lead,
            Self::TalkToButler | Self::TalkToWorker | Self::CreateCase | Self::ReadTeam => {
                Grant::Member
            }
            Self::Govern => Grant::Nobody("the Manager's own"),
            Self::Schedule => Grant::Nobody("the team's butler's own"),
            Self::ReportAttempt => Grant::Nobody("the attempt's worker's own"),
            Self::SpeakForNode => Grant::Nobody("the node's own"),
            Self::KeepLedger => Grant::Nobody("the ledger's own"),
        }
    }
}

/// Who could give a right.
pub(crate) enum Grant {
    /// An admin.
    Admin,
    /// An admin or a lead, by making somebody a lead.
    Lead,
    /// An admin or a lead, by making somebody a member.
    Member,
    /// Nobody: it belongs to a persona.
    Nobody(&'static str),
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the asker stands to the thing that is spoken of, beside their role in its team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tie {
    /// In no way.
    None,
    /// They opened the case.
    Opener,
    /// The playbook names them for the approval.
    Named,
    /// It is their own: an account, an attempt, a node, the ledger.
    Own,
}

/// What is demanded of whoever asks: a right, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Demand {
    /// The right.
    pub right: Right,
    /// In which team; without one, in the cluster as a whole.
    pub team: Option<TeamName>,
    /// How the asker stands to the thing.
    pub tie: Tie,
}

/// A demand that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// What was demanded.
    pub demand: Demand,
    /// The revision of its team's roles; 0 without a team.
    pub revision: u64,
    /// Whether the policies allow it.
    pub is_allowed: bool,
}

/// What the leader decided about a proposal, and on what ground.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The revision of admins, tokens, teams and policies.
    pub revision: u64,
    /// Each thing that was demanded.
    pub judged: Vec<Judged>,
    /// The policies that led to it.
    pub policies: Vec<String>,
}

impl Decision {
    /// Whether all that was demanded is allowed; where nothing was, nothing is.
    pub fn is_allowed(&self) -> bool {
        !self.judged.is_empty() && self.judged.iter().all(|judged| judged.is_allowed)
    }
}

/// That somebody was denied something, so often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Who, in words.
    pub who: String,
    /// Which right they lacked; none where nobody knows who they are.
    pub right: Option<Right>,
    /// In which team.
    pub team: Option<TeamName>,
    /// How often.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Decision, Right};

    #[test]
    fn no_two_rights_share_a_name() {
        let names: BTreeSet<_> = Right::ALL.into_iter().map(Right::name).collect();
        assert_eq!(names.len(), Right::ALL.len());
        let kinds: BTreeSet<_> = Right::ALL.into_iter().collect();
        assert_eq!(kinds.len(), Right::ALL.len());
    }

    #[test]
    fn where_nothing_was_judged_nothing_is_allowed() {
        let decision = Decision {
            revision: 0,
            judged: Vec::new(),
            policies: Vec::new(),
        };
        assert!(!decision.is_allowed());
    }
}
