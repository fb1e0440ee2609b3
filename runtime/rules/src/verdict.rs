//! What the rules answer to a command: accepted with its outcome, or rejected with its reason.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::effect::{EffectKey, Standing};
use crate::id::{
    AttemptId, CaseId, HumanName, NodeId, PolicyName, StageName, TargetName, TeamName, TokenName,
    WorkerId,
};
use crate::right::{Grant, Right};
use crate::team::DocumentName;

/// The answer to an entry.
pub type Verdict = Result<Outcome, Rejection>;

/// What an accepted command came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is so now.
    Done,
    /// The case has this number now.
    Opened(CaseId),
    /// The plan was sent back to the butler's agent, for these reasons.
    PlanRefused(Vec<String>),
    /// So many documents were new, changed, removed.
    Applied {
        /// New ones.
        created: u32,
        /// Changed ones.
        changed: u32,
        /// Those that were so already.
        unchanged: u32,
        /// Removed ones.
        removed: u32,
    },
    /// So it stands with an effect.
    Effect(Standing),
    /// The newcomer is the node of this number.
    Admitted(NodeId),
    /// It stands in the room.
    Posted {
        /// As the post of this number.
        number: u64,
        /// The case that it opened or amended.
        case: Option<CaseId>,
        /// The running attempts that hear it.
        heard_by: Vec<AttemptId>,
        /// The workers that it speaks to and that run nothing which could hear it.
        unheard: Vec<WorkerId>,
    },
}

/// Why a command was refused; shown to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rejection {
    /// Only another kind of principal may ask this.
    NotYours {
        /// Who may.
        whose: String,
    },
    /// The asker's term, epoch or generation is over.
    Stale {
        /// What it spoke of, and which is the present one.
        what: String,
    },
    /// The request id is older than the memory for request ids: look whether it was done.
    Expired,
    /// The same request id stood on another command.
    RequestReused,
    /// There is no such team.
    NoTeam(TeamName),
    /// There is no such worker.
    NoWorker(WorkerId),
    /// There is no such case among the open ones.
    NoCase(CaseId),
    /// The case has no such stage.
    NoStage(CaseId, StageName),
    /// The case has no such attempt.
    NoAttempt(AttemptId),
    /// There is no such document.
    NoDocument(DocumentName),
    /// What is asked does not fit to how things are.
    WrongState {
        /// What it is about.
        what: String,
        /// How it is.
        is: String,
    },
    /// A limit is reached.
    Limit {
        /// Its name.
        limit: String,
        /// Its value.
        max: u64,
    },
    /// What is asked is wrong in itself, for these reasons.
    Invalid(Vec<String>),
    /// There is no such node.
    NoNode(NodeId),
    /// There is no such token, or no longer.
    NoToken(TokenName),
    /// There is no such target.
    NoTarget(TargetName),
    /// The stage has no such effect.
    NoEffect(EffectKey),
    /// The leader did not decide whether it may be asked.
    Undecided,
    /// The leader's decision was about another state of people and policies: it decides anew.
    Outdated,
    /// Whoever asks has no right to it.
    Denied {
        /// The right.
        right: Right,
        /// In which team; without one, in the cluster as a whole.
        team: Option<TeamName>,
        /// The organisation's policies that forbid it to those who would have the right.
        forbidden_by: Vec<String>,
    },
    /// There is no such human.
    NoHuman(HumanName),
    /// There is no such policy of the organisation.
    NoPolicy(PolicyName),
}

/// The name of the limit of what a persona says in a minute.
pub(crate) const OF_PACE: &str = "max_pace_posts";

impl Rejection {
    /// Whether a persona has only said too much for this minute: in the next one it may say it.
    pub fn is_of_pace(&self) -> bool {
        matches!(self, Self::Limit { limit, .. } if limit == OF_PACE)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYours { whose } => write!(f, "only {whose} may ask this"),
            Self::Stale { what } => write!(f, "too late: {what}"),
            Self::Expired => {
                f.write_str("this request id is too old to know whether it was done; look first")
            }
            Self::RequestReused => {
                f.write_str("this request id was used for another command; take a new one")
            }
            Self::NoTeam(team) => write!(f, "there is no team {team}"),
            Self::NoWorker(worker) => write!(f, "there is no worker {worker}"),
            Self::NoCase(case) => write!(f, "there is no open case {case}"),
            Self::NoStage(case, stage) => write!(f, "case {case} has no stage {stage}"),
            Self::NoAttempt(attempt) => write!(f, "there is no attempt {attempt}"),
            Self::NoDocument(name) => write!(f, "there is no {name}"),
            Self::WrongState { what, is } => write!(f, "{what} is {is}"),
            Self::Limit { limit, max } => write!(f, "limit {limit} = {max} is reached"),
            Self::Invalid(reasons) => f.write_str(&reasons.join("; ")),
            Self::NoNode(node) => write!(f, "there is no node {node}"),
            Self::NoToken(token) => write!(f, "there is no token {token}"),
            Self::NoTarget(target) => write!(f, "there is no target {target}"),
            Self::NoEffect(key) => write!(f, "there is no effect {key} of that stage"),
            Self::Undecided => f.write_str("nobody decided whether this may be asked"),
            Self::Outdated => f.write_str("people or policies changed meanwhile; ask again"),
            Self::Denied {
                right,
                team,
                forbidden_by,
            } => denial(*right, team.as_ref(), forbidden_by, f),
            Self::NoHuman(human) => write!(f, "there is no human {human}"),
            Self::NoPolicy(policy) => write!(f, "there is no policy {policy}"),
        }
    }
}

impl std::error::Error for Rejection {}

/// Which right is missing, and who could give it.
fn denial(
    right: Right,
    team: Option<&TeamName>,
    forbidden_by: &[String],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let deed = match (right, team) {
        // A case that is not open has no team that a role could be in.
        (Right::SteerCase, None) => "steer a case that is closed or has no team yet",
        (Right::Approve, None) => "approve in a case that is closed or has no team yet",
        _ => right.deed(),
    };
    write!(f, "no right to {deed}")?;
    if let Some(team) = team {
        write!(f, " in team {team}")?;
    }
    if !forbidden_by.is_empty() {
        let policies = forbidden_by.join(", ");
        return write!(
            f,
            ": policy {policies} forbids it; an admin can change that"
        );
    }
    match (right.grant(), team) {
        (Grant::Nobody(whose), _) => write!(f, ": it is {whose}"),
        (Grant::Admin, _) | (_, None) => f.write_str("; an admin can give it"),
        (Grant::Lead, Some(team)) => {
            write!(f, "; an admin or a lead of team {team} can make you a lead")
        }
        (Grant::Member, Some(team)) => {
            write!(
                f,
                "; an admin or a lead of team {team} can make you a member"
            )
        }
    }
}

/// Refuses with the limit of that name.
pub(crate) fn over(limit: &str, max: usize) -> Rejection {
    Rejection::Limit {
        limit: limit.to_owned(),
        max: max as u64,
    }
}
