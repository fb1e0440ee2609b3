//! What can be asked of the state: a command, who asks it, and its place in the ledger.
//!
//! # Invariant
//! Time, identity and randomness come in here and nowhere else.

use serde::{Deserialize, Serialize};

pub use crate::attempt::Progress;
use crate::attempt::{AttemptOutcome, StageResult};
use crate::beginning::Cause;
use crate::case::{Attachment, Brief, Report};
use crate::deed::Deed;
use crate::effect::{EffectEnd, EffectKey, Intent};
pub use crate::entry::{Entry, Proposal};
use crate::human::RoleChange;
use crate::id::{
    AttemptId, CaseId, HumanName, NodeId, PlaybookName, PolicyName, StageName, TargetName,
    TeamName, TokenName, WorkerId,
};
use crate::node::{Health, NodeFacts, Role};
use crate::place::Placement;
pub use crate::plan::Plan;
pub use crate::request::Request;
use crate::right::Denial;
use crate::room::RoomName;
use crate::roster::{HumanSpec, Piece};
use crate::target::{Target, WayOut};
use crate::team::{Document, DocumentName};
pub use crate::who::{Principal, Who};

/// What can be asked; each has a file of its own under `apply`.
///
/// The place of each among the others is part of the ledger's format: new ones come last.
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
    /// The Manager gives a case its team; or a human, where it waits for one.
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
    /// A human makes a token with which new nodes may join.
    MintToken {
        /// Its name.
        token: TokenName,
        /// The SHA-256 of its secret.
        hash: [u8; 32],
        /// How long it is good.
        valid_ms: u64,
    },
    /// A human makes a token worthless.
    RevokeToken {
        /// Which one.
        token: TokenName,
    },
    /// A node that was shown a token asks that the newcomer gets a number.
    AdmitNode {
        /// The SHA-256 of the token's secret.
        hash: [u8; 32],
        /// The newcomer's name.
        name: String,
        /// The fingerprint of the newcomer's public key.
        key: [u8; 32],
    },
    /// The Manager says how a node is.
    JudgeNode {
        /// Which one.
        node: NodeId,
        /// Which start of its daemon he speaks of.
        incarnation: u64,
        /// How it is.
        health: Health,
        /// What he has seen.
        reason: String,
    },
    /// A human has a node left by all that is on it, or lets it be used again.
    DrainNode {
        /// Which one.
        node: NodeId,
        /// Whether it shall be left.
        is_drained: bool,
        /// Why.
        reason: String,
    },
    /// A human takes a node out of the cluster for ever.
    RemoveNode {
        /// Which one.
        node: NodeId,
        /// Whether what still runs on it is given up.
        is_forced: bool,
    },
    /// A human says whether a node may or must be a voter.
    SetRole {
        /// Which one.
        node: NodeId,
        /// What it shall be.
        role: Role,
    },
    /// A human says what a target is.
    PutTarget {
        /// The target, whole.
        target: Target,
    },
    /// A human takes a target away.
    RemoveTarget {
        /// Which one.
        target: TargetName,
    },
    /// A worker's gateway is about to do something to the outside.
    BeginEffect {
        /// For which attempt.
        attempt: AttemptId,
        /// What.
        intent: Intent,
    },
    /// A worker's gateway says what became of an effect.
    EndEffect {
        /// The attempt for which it was sent.
        attempt: AttemptId,
        /// Which one.
        key: EffectKey,
        /// What became of it.
        outcome: EffectEnd,
    },
    /// A human says whether an effect was done of which nobody knows.
    SettleEffect {
        /// The case.
        case: CaseId,
        /// The stage.
        stage: StageName,
        /// The effect.
        key: EffectKey,
        /// Whether it was done.
        was_done: bool,
        /// How they know.
        reason: String,
    },
    /// A human says who has an account and a role: all of them, or none.
    PutHumans {
        /// What shall be of each.
        put: Vec<HumanSpec>,
        /// Of a roster that is larger than an entry: which piece this is.
        piece: Option<Piece>,
    },
    /// A human takes an account away, with its roles and tokens.
    RemoveHuman {
        /// Whose.
        human: HumanName,
    },
    /// A human changes what somebody may.
    SetHumanRole {
        /// Who.
        human: HumanName,
        /// What they become.
        change: RoleChange,
    },
    /// A human makes a token by which they, or somebody else, will be known.
    MintHumanToken {
        /// Whose.
        human: HumanName,
        /// Its name among theirs.
        token: TokenName,
        /// The SHA-256 of its secret.
        hash: [u8; 32],
        /// How long it is good.
        valid_ms: u64,
        /// The one team that it is good for; without one, for all that they may.
        team: Option<TeamName>,
    },
    /// A human makes somebody's token worthless.
    RevokeHumanToken {
        /// Whose.
        human: HumanName,
        /// Which one.
        token: TokenName,
    },
    /// A human says what the organisation forbids beyond the matrix.
    PutPolicy {
        /// Its name.
        policy: PolicyName,
        /// Its text, which only the leader's judge understands.
        text: String,
    },
    /// A human takes a policy of the organisation away.
    RemovePolicy {
        /// Which one.
        policy: PolicyName,
    },
    /// The ledger notes what was denied since it noted that last.
    RecordDenials {
        /// Who was denied what, and how often.
        denials: Vec<Denial>,
    },
    /// A node begins the cluster again as its only one, because a human had it do so.
    BeginAgain {
        /// The node.
        node: NodeId,
        /// Its name.
        name: String,
        /// What from.
        cause: Cause,
        /// Who had it done.
        by: String,
    },
    /// A human had a node do something by itself; the node says it before it does it.
    NoteDeed {
        /// Which node.
        node: NodeId,
        /// What.
        deed: Deed,
    },
    /// A human has the texts of a closed case erased wherever the cluster keeps them.
    EraseCase {
        /// Which one.
        case: CaseId,
        /// Why.
        reason: String,
    },
    /// The leader raises the version of the rules' behaviour.
    RaiseVersion {
        /// To which.
        to: u32,
    },
    /// A node says how its agents reach targets, whenever that has changed.
    TellWayOut {
        /// The node.
        node: NodeId,
        /// Which start of its daemon says so.
        incarnation: u64,
        /// What it says.
        way_out: WayOut,
    },
    /// Somebody says something in a room.
    PostMessage {
        /// Where.
        room: RoomName,
        /// In the thread of which case; without one, in the room itself.
        thread: Option<CaseId>,
        /// What.
        text: String,
        /// What comes with it.
        attachments: Vec<Attachment>,
        /// The post that it answers.
        answers: Option<u64>,
    },
    /// A human says how far they have read a room.
    MarkRead {
        /// Which one.
        room: RoomName,
        /// Up to which post.
        up_to: u64,
    },
    /// A chaos run is begun, told of by one of its nodes, or ended.
    Chaos(crate::chaos::Wish),
}
