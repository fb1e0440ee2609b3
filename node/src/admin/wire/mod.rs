//! What crosses the admin socket: the types of requests and answers, apart from the rules' own.
//!
//! ```text
//! client ─► wire ─► convert ─► rules::Command        rules::State ─► convert ─► wire ─► client
//! ```
//!
//! # Invariant
//! Version 1, as the paths under `/v1` say. A released field keeps its name, type and meaning;
//! fields and words are only added. A request with an unknown field is refused, so that no wish is
//! dropped in silence; a client passes over unknown fields and words of an answer.
//!
//! # Why
//! The rules' types change with the rules, and their encoding is the ledger's. What programs of
//! other people read must not move with them: `convert` is the one place where the two meet.

mod apply;
mod audit;
mod case;
mod change;
mod chaos;
mod error;
mod files;
mod human;
mod limits;
mod moment;
mod node;
mod plan;
mod query;
mod room;
mod status;
mod stream;
mod target;
mod team;

pub use apply::{
    AgentDocument, Change, Difference, Document, DocumentChange, FieldChange, PlaybookDocument,
    Prune, TeamDocument, WorkerDocument,
};
pub use audit::{
    AuditFault, AuditHead, AuditHeadQuery, AuditLine, AuditPage, AuditQuery, AuditSigners,
    AuditVerdict, EraseCase,
};
pub use case::{
    ApprovalState, ApprovalView, AttemptStatus, AttemptView, Brief, CaseLine, CaseOutcome,
    CasePage, CaseStatus, CaseView, Freshness, Held, HistoryLine, Report, ResultView, StageStatus,
    StageView, Waiting,
};
pub use change::{
    AmendCase, AnswerStage, ApproveStage, Attachment, CancelCase, Done, OpenCase, Opened,
    PauseCase, RejectStage, ReplaceWorker, ResumeCase, RouteCase,
};
pub use chaos::{
    BeginChaos, ChaosDid, ChaosFault, ChaosPart, ChaosRun, ChaosState, ChaosStep, ChaosView,
    CrashPersona, EndChaos, HoldManager, SetClock,
};
pub use error::{Code, ErrorBody, ErrorShape, LimitReached};
pub use files::{Blob, CaseFile, CaseFiles, FileKind};
pub use human::{
    HumanChange, HumanLine, HumanPage, HumanQuery, HumanTokenLine, HumanView, HumanWish, HumansPut,
    MintHumanToken, Policy, PolicyChecked, PolicyPage, PutHumans, PutHumansQuery, RemoveHuman,
    RemovePolicy, RoleIn, RosterDifference, SetHumanRole, TeamRole,
};
pub use limits::Limits;
pub use moment::{Moment, parse_moment_ms};
pub use node::{
    DrainNode, Explained, MintToken, Minted, NodeDetails, NodePage, NodeRole, NodeVerdict,
    RemoveNode, RevokeToken, SetRole, TokenLine, TokenPage,
};
pub use plan::{Approval, Approver, Needs, OnFailure, Stage};
pub use query::{
    ApplyQuery, CaseQuery, Consistency, DEFAULT_PAGE, FreshQuery, LogQuery, MAX_PAGE, TeamQuery,
    WatchQuery, WorkerLogQuery, WorkerQuery,
};
pub use room::{
    MarkRead, PostMessage, Posted, RoomEntry, RoomEvent, RoomLine, RoomPage, RoomQuery, RoomView,
    RoomWatchQuery,
};
pub use status::{
    BeginningView, CaseCounts, Clock, ClusterStatus, HumanWait, LedgerView, NodeLine, NodeView,
    Status, Trouble, WorkerCounts,
};
pub use stream::{LogLine, LogStream, WatchEvent};
pub use target::{
    CheckTarget, EffectStatus, EffectView, Finding, MethodClass, RemoveSecret, RemoveTarget,
    SecretDone, SecretLine, SecretPage, SetSecret, SettleEffect, Target, TargetChecked, TargetPage,
};
pub use team::{
    AgentLimits, AgentView, TeamLine, TeamPage, TeamView, WorkerLine, WorkerPage, WorkerStatus,
    WorkerView,
};

/// The version of this face, as it stands in every path.
pub const VERSION: &str = "v1";
/// The header that names a client's wish, so that saying it twice does it once.
pub const REQUEST_ID: &str = "request-id";
