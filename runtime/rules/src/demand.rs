//! What each command demands of whoever asks it: which rights, where, and how they stand to it.
//!
//! # Invariant
//! No command is without a row: the table is a match without a wildcard, and an answer without a
//! demand allows nothing.
//!
//! # Why
//! What is demanded is read off the state when the leader decides, and again when the entry is
//! applied: where the two differ, the decision was about something else and is taken anew.

mod people;
pub mod talk;

use std::collections::BTreeSet;

use crate::case::Case;
use crate::chaos::Wish;
use crate::command::{Command, Proposal};
use crate::human::{RoleChange, TeamRole};
use crate::id::{AttemptId, CaseId, HumanName, NodeId, StageName, TeamName};
use crate::right::{Decision, Demand, Judged, Right, Tie};
use crate::stage::Approver;
use crate::state::State;
use crate::team::{Document, DocumentName};
use crate::verdict::Rejection;
use crate::who::{Principal, Who};

/// What a command demands of whoever asks it.
pub fn of_command(state: &State, asker: &Principal, command: &Command) -> Vec<Demand> {
    match command {
        Command::ApplyDocuments { put, remove } => described(state, put, remove),
        Command::OpenCase { team, .. } => vec![Demand {
            right: Right::CreateCase,
            team: team.clone(),
            tie: Tie::None,
        }],
        Command::CancelCase { case, .. }
        | Command::PauseCase { case, .. }
        | Command::ResumeCase { case }
        | Command::AmendCase { case, .. }
        | Command::AnswerStage { case, .. } => vec![steered(state, asker, *case)],
        Command::ApproveStage { case, stage, .. } | Command::RejectStage { case, stage, .. } => {
            vec![approved(state, asker, *case, stage)]
        }
        Command::SettleEffect { case, .. } => vec![of_case(state, *case, Right::Settle)],
        Command::ReplaceWorker { worker, .. } => vec![in_team(Right::Settle, &worker.team)],
        Command::RouteCase { .. } => vec![cluster(Right::Manage)],
        Command::MintToken { .. }
        | Command::RevokeToken { .. }
        | Command::DrainNode { .. }
        | Command::RemoveNode { .. }
        | Command::SetRole { .. }
        | Command::PutTarget { .. }
        | Command::RemoveTarget { .. }
        | Command::PutPolicy { .. }
        | Command::RemovePolicy { .. }
        | Command::EraseCase { .. }
        | Command::Chaos(Wish::Begin(_) | Wish::End { .. }) => vec![cluster(Right::ManageCluster)],
        Command::NoteDeed { deed, .. } => vec![cluster(deed.right())],
        Command::PutHumans { put, piece } => {
            let before = piece.as_ref().map(|piece| state.people.before(piece));
            let staged = before.into_iter().flatten();
            people::put(state, staged.chain(put))
        }
        Command::RemoveHuman { human } => people::account(state, human),
        Command::SetHumanRole { change, .. } => vec![match change {
            RoleChange::Admin { .. } => cluster(Right::ManageAdmins),
            RoleChange::Team { team, .. } => in_team(Right::ManageHumans, team),
        }],
        Command::MintHumanToken { human, team, .. } => {
            people::minted(state, asker, human, team.as_ref())
        }
        Command::RevokeHumanToken { human, token } => people::revoked(state, asker, human, token),
        Command::Place { .. } | Command::JudgeNode { .. } => vec![cluster(Right::Govern)],
        Command::PlanCase { case, .. }
        | Command::RefusePlan { case, .. }
        | Command::ReportCase { case, .. } => vec![scheduled(state, asker, *case)],
        Command::AdvanceAttempt { attempt, .. }
        | Command::FinishAttempt { attempt, .. }
        | Command::LoseAttempt { attempt, .. }
        | Command::BeginEffect { attempt, .. }
        | Command::EndEffect { attempt, .. } => vec![attempted(state, asker, *attempt)],
        Command::JoinNode { facts } => vec![as_node(asker, Some(facts.node))],
        Command::BeginAgain { node, .. }
        | Command::TellWayOut { node, .. }
        | Command::Chaos(Wish::Tell { node, .. }) => vec![as_node(asker, Some(*node))],
        Command::AdmitNode { .. } => vec![as_node(asker, None)],
        Command::Tick | Command::RecordDenials { .. } | Command::RaiseVersion { .. } => {
            vec![own(Right::KeepLedger, asker.who == Who::Ledger)]
        }
        Command::PostMessage {
            room, thread, text, ..
        } => talk::posted(state, asker, room, *thread, text),
        Command::MarkRead { room, .. } => vec![talk::read(asker, room)],
    }
}

/// A decision on how things are now: each demand is allowed where `allows` says so.
pub fn decided(
    state: &State,
    demands: Vec<Demand>,
    mut allows: impl FnMut(&Demand) -> bool,
) -> Decision {
    let people = &state.people;
    let judged = demands.into_iter().map(|demand| Judged {
        revision: people.revision_of(demand.team.as_ref()),
        is_allowed: allows(&demand),
        demand,
    });
    Decision {
        judged: judged.collect(),
        revision: people.revision,
        policies: Vec::new(),
    }
}

/// Whether what the leader decided allows a proposal, and was decided on how things are now.
pub fn check(state: &State, proposal: &Proposal) -> Result<(), Rejection> {
    let Some(decision) = &proposal.decision else {
        return Err(Rejection::Undecided);
    };
    let demands = of_command(state, &proposal.principal, &proposal.command);
    let judged = decision.judged.iter();
    let is_about_now = decision.revision == state.people.revision
        && demands
            .iter()
            .eq(judged.clone().map(|judged| &judged.demand))
        && judged
            .clone()
            .all(|judged| judged.revision == state.people.revision_of(judged.demand.team.as_ref()));
    if !is_about_now {
        return Err(Rejection::Outdated);
    }
    refusal(decision).map_or(Ok(()), Err)
}

/// Why a decision refuses what was asked; none where it allows it.
pub fn refusal(decision: &Decision) -> Option<Rejection> {
    if decision.is_allowed() {
        return None;
    }
    let Some(lacking) = decision.judged.iter().find(|judged| !judged.is_allowed) else {
        // Nobody was asked.
        return Some(Rejection::Undecided);
    };
    let own = decision
        .policies
        .iter()
        .filter(|policy| policy.contains('/'));
    Some(Rejection::Denied {
        right: lacking.demand.right,
        team: lacking.demand.team.clone(),
        forbidden_by: own.cloned().collect(),
    })
}

/// The human who asks, be it through a persona.
pub fn human(asker: &Principal) -> Option<&HumanName> {
    match (&asker.on_behalf_of, &asker.who) {
        (Some(human), _) | (None, Who::Human(human)) => Some(human),
        (
            None,
            Who::Node(_)
            | Who::Ledger
            | Who::Manager { .. }
            | Who::Butler { .. }
            | Who::Worker { .. },
        ) => None,
    }
}

/// Whether a case was opened by this human, be it through a persona.
pub fn is_opener(case: &Case, human: &HumanName) -> bool {
    let before = case.opened_by.strip_suffix(human.as_str());
    before.is_some_and(|before| before.is_empty() || before.ends_with(" for "))
}

/// A right in the cluster as a whole.
pub fn cluster(right: Right) -> Demand {
    Demand {
        right,
        team: None,
        tie: Tie::None,
    }
}

/// A right in a team.
pub fn in_team(right: Right, team: &TeamName) -> Demand {
    Demand {
        right,
        team: Some(team.clone()),
        tie: Tie::None,
    }
}

fn own(right: Right, is_own: bool) -> Demand {
    Demand {
        right,
        team: None,
        tie: if is_own { Tie::Own } else { Tie::None },
    }
}

fn of_case(state: &State, case: CaseId, right: Right) -> Demand {
    let case = state.cases.get(&case);
    Demand {
        right,
        team: case.and_then(|case| case.team.clone()),
        tie: Tie::None,
    }
}

fn steered(state: &State, asker: &Principal, id: CaseId) -> Demand {
    let mut demand = of_case(state, id, Right::SteerCase);
    if let (Some(case), Some(human)) = (state.cases.get(&id), human(asker))
        && is_opener(case, human)
    {
        demand.tie = Tie::Opener;
    }
    demand
}

fn approved(state: &State, asker: &Principal, id: CaseId, stage: &StageName) -> Demand {
    let mut demand = of_case(state, id, Right::Approve);
    if let (Some(case), Some(human)) = (state.cases.get(&id), human(asker))
        && is_named(state, case, stage, human)
    {
        demand.tie = Tie::Named;
    }
    demand
}

/// Whether the playbook names a human for an approval. An agent's plan names nobody: it would give
/// rights that no person gave.
fn is_named(state: &State, case: &Case, stage: &StageName, human: &HumanName) -> bool {
    if case.planning.is_some() {
        return false;
    }
    let team = case.team.as_ref();
    let role = team.and_then(|team| state.people.role(human, team));
    let approval = case
        .stage(stage)
        .and_then(|stage| stage.spec.approval.as_ref());
    approval.is_some_and(|approval| {
        approval.by.iter().any(|approver| match approver {
            Approver::Human(name) => name == human,
            Approver::Role(named) => match role {
                Some(TeamRole::Member) => named == "member",
                Some(TeamRole::Lead) => named == "member" || named == "lead",
                None => false,
            },
        })
    })
}

fn scheduled(state: &State, asker: &Principal, id: CaseId) -> Demand {
    let team = match (state.cases.get(&id), &asker.who) {
        (Some(case), _) => case.team.clone(),
        // What is said of a case that is over concerns nobody else.
        (None, Who::Butler { team, .. }) => Some(team.clone()),
        (
            None,
            Who::Human(_) | Who::Node(_) | Who::Ledger | Who::Manager { .. } | Who::Worker { .. },
        ) => None,
    };
    Demand {
        right: Right::Schedule,
        team,
        tie: Tie::None,
    }
}

fn attempted(state: &State, asker: &Principal, id: AttemptId) -> Demand {
    let attempt = state
        .cases
        .get(&id.case)
        .and_then(|case| case.attempts.get(&id.number));
    let is_own = match &asker.who {
        // What is said of an attempt that is over concerns nobody else.
        Who::Worker { worker, .. } => attempt.is_none_or(|attempt| attempt.worker == *worker),
        Who::Human(_) | Who::Node(_) | Who::Ledger | Who::Manager { .. } | Who::Butler { .. } => {
            false
        }
    };
    own(Right::ReportAttempt, is_own)
}

fn as_node(asker: &Principal, spoken_of: Option<NodeId>) -> Demand {
    let is_own = match &asker.who {
        Who::Node(node) => spoken_of.is_none_or(|spoken_of| spoken_of == *node),
        Who::Human(_)
        | Who::Ledger
        | Who::Manager { .. }
        | Who::Butler { .. }
        | Who::Worker { .. } => false,
    };
    own(Right::SpeakForNode, is_own)
}

fn described(state: &State, put: &[Document], remove: &[DocumentName]) -> Vec<Demand> {
    let mut demands = BTreeSet::new();
    for document in put {
        demands.insert(match document {
            Document::Team(spec) if state.teams.contains_key(&spec.name) => {
                in_team(Right::ManageButler, &spec.name)
            }
            Document::Team(_) => cluster(Right::ManageTeams),
            Document::Worker(spec) => {
                let is_new = !state.workers.contains_key(&spec.id);
                let right = if is_new {
                    Right::CreateWorker
                } else {
                    Right::ManageWorker
                };
                in_team(right, &spec.id.team)
            }
            Document::Playbook(spec) => in_team(Right::ManageButler, &spec.team),
        });
    }
    for name in remove {
        demands.insert(match name {
            DocumentName::Team(_) => cluster(Right::ManageTeams),
            DocumentName::Worker(worker) => in_team(Right::Settle, &worker.team),
            DocumentName::Playbook(team, _) => in_team(Right::ManageButler, team),
        });
    }
    if demands.is_empty() {
        // Nothing is described: whoever may look may say so.
        demands.insert(cluster(Right::LookAround));
    }
    demands.into_iter().collect()
}
