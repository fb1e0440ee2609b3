//! What ought to be going on, read off the state; never remembered.
//!
//! ```text
//! apply ─► which subjects an entry touched ─► duties of each ─► the persona that holds them
//! ```
//!
//! # Invariant
//! The duties of all subjects together are `duties(state)`; asking only for the touched ones
//! after each entry comes to the same (tested), and costs what the entry costs.
//!
//! A duty is done when the command that it led to has taken it out of the set; those that say how
//! something ought to be go with what they speak of.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::case::{Case, CaseStatus};
use crate::id::{AttemptId, CaseId, Epoch, NodeId, PlaybookName, TeamName, WorkerId};
use crate::place::Placed;
use crate::room::RoomName;
use crate::stage::StageStatus;
use crate::state::State;

/// What duties are about; what an entry touches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A node.
    Node(NodeId),
    /// A team.
    Team(TeamName),
    /// A worker.
    Worker(WorkerId),
    /// A case.
    Case(CaseId),
    /// A room.
    Room(RoomName),
}

/// The persona that a duty belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Holder {
    /// The Manager, wherever he is.
    Manager,
    /// A team's butler on its node, in the epoch of that place: the butler of another epoch is
    /// somebody else, even on the same node.
    Butler(TeamName, NodeId, Epoch),
    /// A worker on its node.
    Worker(WorkerId, NodeId),
}

/// What a persona ought to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Duty {
    /// Find a node.
    Place {
        /// For whom.
        who: Placed,
        /// The epoch that is without one.
        epoch: Epoch,
    },
    /// Find the team of a case.
    Route {
        /// The case.
        case: CaseId,
    },
    /// Plan a case.
    Plan {
        /// The case.
        case: CaseId,
        /// The generation to be planned.
        generation: u32,
        /// How.
        from: PlanFrom,
    },
    /// Write a case's report.
    Report {
        /// The case.
        case: CaseId,
        /// The generation to be reported.
        generation: u32,
    },
    /// Keep a container running.
    Keep {
        /// The worker's epoch.
        epoch: Epoch,
    },
    /// Run an attempt and say how it ended.
    Run {
        /// The attempt.
        attempt: AttemptId,
        /// The worker's epoch.
        epoch: Epoch,
    },
    /// Answer a post in a room of one's own.
    Answer {
        /// Where.
        room: RoomName,
        /// Which one.
        post: u64,
    },
    /// See to it that an attempt's agent can read what it was told.
    Tell {
        /// The attempt.
        attempt: AttemptId,
        /// The worker's epoch.
        epoch: Epoch,
        /// The last post that it was told.
        up_to: u64,
    },
}

/// Where a plan is to come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PlanFrom {
    /// A playbook.
    Playbook(PlaybookName),
    /// The result of the planning stage.
    Agent,
}

/// The duties of everything.
pub fn duties(state: &State) -> BTreeMap<Holder, BTreeSet<Duty>> {
    let mut all: BTreeMap<Holder, BTreeSet<Duty>> = BTreeMap::new();
    for subject in subjects(state) {
        for (holder, duty) in duties_of(state, &subject) {
            all.entry(holder).or_default().insert(duty);
        }
    }
    all
}

/// Everything that can have duties.
pub fn subjects(state: &State) -> impl Iterator<Item = Subject> {
    let teams = state.teams.keys().cloned().map(Subject::Team);
    let workers = state.workers.keys().cloned().map(Subject::Worker);
    let cases = state.cases.keys().copied().map(Subject::Case);
    let rooms = state.rooms.rooms.keys().cloned().map(Subject::Room);
    teams.chain(workers).chain(cases).chain(rooms)
}

/// The duties about one subject; none when it is not there.
pub fn duties_of(state: &State, subject: &Subject) -> Vec<(Holder, Duty)> {
    match subject {
        Subject::Node(_) => Vec::new(),
        Subject::Team(name) => state.teams.get(name).map_or_else(Vec::new, |team| {
            let who = Placed::Team(name.clone());
            place_duty(team.placed.is_none(), who, team.epoch)
        }),
        Subject::Worker(id) => worker_duties(state, id),
        Subject::Case(id) => state
            .cases
            .get(id)
            .map_or_else(Vec::new, |case| case_duties(state, case)),
        Subject::Room(name) => state.rooms.rooms.get(name).map_or_else(Vec::new, |room| {
            let answer = |post: &u64| {
                let room = name.clone();
                (Holder::Manager, Duty::Answer { room, post: *post })
            };
            room.unanswered.iter().map(answer).collect()
        }),
    }
}

fn place_duty(is_homeless: bool, who: Placed, epoch: Epoch) -> Vec<(Holder, Duty)> {
    if is_homeless {
        vec![(Holder::Manager, Duty::Place { who, epoch })]
    } else {
        Vec::new()
    }
}

fn worker_duties(state: &State, id: &WorkerId) -> Vec<(Holder, Duty)> {
    let Some(worker) = state.workers.get(id) else {
        return Vec::new();
    };
    let Some((node, _)) = &worker.placed else {
        return place_duty(true, Placed::Worker(id.clone()), worker.epoch);
    };
    if worker.is_awake {
        vec![(
            Holder::Worker(id.clone(), *node),
            Duty::Keep {
                epoch: worker.epoch,
            },
        )]
    } else {
        Vec::new()
    }
}

fn case_duties(state: &State, case: &Case) -> Vec<(Holder, Duty)> {
    let mut duties: Vec<(Holder, Duty)> = case
        .live_attempts()
        .map(|(number, attempt)| {
            let duty = Duty::Run {
                attempt: AttemptId {
                    case: case.id,
                    number,
                },
                epoch: attempt.epoch,
            };
            (Holder::Worker(attempt.worker.clone(), attempt.node), duty)
        })
        .collect();
    duties.extend(case.live_attempts().filter_map(|(number, attempt)| {
        let case = case.id;
        let duty = Duty::Tell {
            attempt: AttemptId { case, number },
            epoch: attempt.epoch,
            up_to: attempt.messages.last()?.post,
        };
        let holder = Holder::Worker(attempt.worker.clone(), attempt.node);
        Some((holder, duty))
    }));
    let Some(name) = &case.team else {
        // A case that ends before it had a team is closed by the Manager.
        let duty = match case.status {
            CaseStatus::Reporting => Duty::Report {
                case: case.id,
                generation: case.generation,
            },
            CaseStatus::Open => Duty::Route { case: case.id },
            CaseStatus::Planned
            | CaseStatus::Running
            | CaseStatus::Waiting(_)
            | CaseStatus::Closed(_) => return duties,
        };
        duties.push((Holder::Manager, duty));
        return duties;
    };
    let Some(team) = state.teams.get(name) else {
        return duties;
    };
    if let Some((node, _)) = &team.placed
        && let Some(duty) = butler_duty(case)
    {
        duties.push((Holder::Butler(name.clone(), *node, team.epoch), duty));
    }
    duties
}

fn butler_duty(case: &Case) -> Option<Duty> {
    let (id, generation) = (case.id, case.generation);
    match case.status {
        CaseStatus::Reporting => Some(Duty::Report {
            case: id,
            generation,
        }),
        CaseStatus::Open if !case.is_planned => {
            let from = match (&case.planning, &case.playbook) {
                (Some(planning), _) if planning.status == StageStatus::Done => PlanFrom::Agent,
                (None, Some(playbook)) => PlanFrom::Playbook(playbook.clone()),
                (Some(_) | None, _) => return None,
            };
            Some(Duty::Plan {
                case: id,
                generation,
                from,
            })
        }
        CaseStatus::Open
        | CaseStatus::Planned
        | CaseStatus::Running
        | CaseStatus::Waiting(_)
        | CaseStatus::Closed(_) => None,
    }
}
