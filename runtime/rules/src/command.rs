//! What can be asked of the state: a command, who asks it, and its place in the ledger.
//!
//! # Invariant
//! Time, identity and randomness come in here and nowhere else.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::attempt::{AttemptOutcome, StageResult};
use crate::case::{Attachment, Brief, Report};
use crate::id::{
    AttemptId, CaseId, Epoch, HumanName, NodeId, PlaybookName, RequestId, StageName, TeamName,
    WorkerId,
};
use crate::node::NodeFacts;
use crate::place::Placement;
use crate::stage::StageSpec;
use crate::team::{Document, DocumentName};

/// Who asks, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The one who speaks.
    pub who: Who,
    /// The human for whom a persona speaks: it then has the rights of both, never more.
    pub on_behalf_of: Option<HumanName>,
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
        }
    }

    /// A persona, a node or the ledger, speaking for itself.
    pub fn own(who: Who) -> Self {
        Self {
            who,
            on_behalf_of: None,
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

/// Names the wish of a client who may repeat it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The same for each repetition.
    pub id: RequestId,
    /// Tells commands apart under one id: a digest of the command, made by the node that took it in.
    pub digest: u64,
}

/// A command before it has a place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Names the wish where a client may repeat it; personas repeat by what they say.
    pub request: Option<Request>,
    /// Who asks.
    pub principal: Principal,
    /// The wall clock of the node that took it in, for people to read; it decides nothing.
    pub wall_ms: u64,
    /// What is asked.
    pub command: Command,
}

/// A command at its place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The place, from 1.
    pub index: u64,
    /// The term of the leader that gave it this place.
    pub term: u64,
    /// Boot-clock time that the leader counted since the entry before it.
    pub elapsed_ms: u64,
    /// What was asked.
    pub proposal: Proposal,
}

/// What can be asked; each has a file of its own under `apply`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A human describes teams, workers and playbooks, all or nothing.
    ApplyDocuments {
        /// What shall be, whole.
        put: Vec<Document>,
        /// What shall be no more.
        remove: Vec<DocumentName>,
    },
    /// A human hands over a case.
    OpenCase {
        /// The team; without one the Manager finds it.
        team: Option<TeamName>,
        /// What it is about, in a line.
        title: String,
        /// What is to be done.
        brief: Brief,
        /// What the agents are given along.
        attachments: Vec<Attachment>,
        /// The playbook; without one the team's own choice.
        playbook: Option<PlaybookName>,
    },
    /// A human ends a case.
    CancelCase {
        /// Which one.
        case: CaseId,
        /// Why.
        reason: String,
    },
    /// A human holds a case: nothing more of it is started.
    PauseCase {
        /// Which one.
        case: CaseId,
        /// Why.
        reason: String,
    },
    /// A human lets a held case go on.
    ResumeCase {
        /// Which one.
        case: CaseId,
    },
    /// A human changes what is to be done: a new version of the brief, and a new plan for what is not done yet.
    AmendCase {
        /// Which one.
        case: CaseId,
        /// The new brief; it stands beside the old ones.
        brief: Brief,
        /// More attachments.
        attachments: Vec<Attachment>,
    },
    /// A human takes a stage over and answers it.
    AnswerStage {
        /// The case.
        case: CaseId,
        /// The stage.
        stage: StageName,
        /// The answer.
        result: StageResult,
    },
    /// A human lets a stage begin that waits for it.
    ApproveStage {
        /// The case.
        case: CaseId,
        /// The stage.
        stage: StageName,
        /// What they say to it.
        note: String,
    },
    /// A human refuses to let a stage begin.
    RejectStage {
        /// The case.
        case: CaseId,
        /// The stage.
        stage: StageName,
        /// Why.
        reason: String,
    },
    /// A human gives a worker a new container; what it was doing is done anew.
    ReplaceWorker {
        /// Which one.
        worker: WorkerId,
        /// Why.
        reason: String,
    },
    /// A node says what it is and has, at each of its starts.
    JoinNode {
        /// What it is and has.
        facts: NodeFacts,
    },
    /// The Manager gives teams and workers their nodes.
    Place {
        /// Who goes where, and why.
        placements: Vec<Placement>,
    },
    /// The Manager gives a case its team.
    RouteCase {
        /// Which one.
        case: CaseId,
        /// To whom.
        team: TeamName,
        /// Why.
        reason: String,
    },
    /// A butler plans a case.
    PlanCase {
        /// Which one.
        case: CaseId,
        /// The generation that it saw.
        generation: u32,
        /// Where the stages come from.
        plan: Plan,
    },
    /// A butler sends its agent's plan back.
    RefusePlan {
        /// The case.
        case: CaseId,
        /// The generation that it saw.
        generation: u32,
        /// What is wrong with it.
        reasons: Vec<String>,
    },
    /// A worker says how far an attempt is.
    AdvanceAttempt {
        /// Which one.
        attempt: AttemptId,
        /// How far.
        to: Progress,
    },
    /// A worker says how an attempt ended.
    FinishAttempt {
        /// Which one.
        attempt: AttemptId,
        /// How.
        outcome: AttemptOutcome,
    },
    /// A worker says that an attempt's container is gone, or never came to be.
    LoseAttempt {
        /// Which one.
        attempt: AttemptId,
        /// What happened.
        reason: String,
    },
    /// A butler closes a case with its report.
    ReportCase {
        /// Which one.
        case: CaseId,
        /// The generation that it saw.
        generation: u32,
        /// The report.
        report: Box<Report>,
    },
    /// The leader lets time pass where nothing else does: each entry carries the time before it.
    Tick,
}

/// How far a worker is with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Progress {
    /// Its container and folder are being made ready.
    Preparing,
    /// Its agent runs.
    Running,
}

/// Where a plan's stages come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Plan {
    /// The playbook of that name.
    Playbook(PlaybookName),
    /// The butler's own agent.
    Agent(Vec<StageSpec>),
}
