//! What is demanded of whoever talks or listens in a room.
//!
//! # Why
//! A post that opens a case demands what opening one demands, and so on: nobody does by talking what
//! they may not do by command. Whom it speaks to is read by the same function that has them act.

use crate::id::CaseId;
use crate::mention;
use crate::right::{Demand, Right};
use crate::room::{Persona, RoomName, Speaker};
use crate::state::State;
use crate::version;
use crate::who::{Principal, Who};

use super::{cluster, human, in_team, own, steered};

/// What a post demands.
pub(super) fn posted(
    state: &State,
    asker: &Principal,
    room: &RoomName,
    thread: Option<CaseId>,
    text: &str,
) -> Vec<Demand> {
    match &asker.who {
        // In a room that is not theirs alone he says what whoever asked him could say there.
        Who::Manager { .. } if is_for_human(state, asker, room) => return vec![entered(room)],
        Who::Manager { .. } => return vec![cluster(Right::Govern)],
        Who::Butler { team, .. } => return vec![in_team(Right::Schedule, team)],
        Who::Worker { worker, .. } => {
            let case = thread.and_then(|case| state.cases.get(&case));
            // What is said in a thread that is over concerns nobody else.
            let is_own = case.is_none_or(|case| case.is_worked_on_by(worker));
            return vec![own(Right::ReportAttempt, is_own)];
        }
        Who::Human(_) | Who::Node(_) | Who::Ledger => {}
    }
    let Some(speaker) = Speaker::of(asker) else {
        return Vec::new();
    };
    let addressed = mention::addressed(state, &speaker, room, thread, text);
    let mut demands = vec![entered(room)];
    match (&addressed.butler, thread) {
        (Some(_), Some(case)) => demands.push(steered(state, asker, case)),
        (Some(team), None) => demands.push(in_team(Right::CreateCase, team)),
        (None, _) => {}
    }
    for worker in &addressed.workers {
        demands.push(in_team(Right::TalkToWorker, &worker.team));
    }
    demands.sort();
    demands.dedup();
    demands
}

/// Whether the Manager speaks in a team's room for a human who asked him.
pub(crate) fn is_for_human(state: &State, asker: &Principal, room: &RoomName) -> bool {
    state.version >= version::WELCOMES
        && asker.on_behalf_of.is_some()
        && matches!(room, RoomName::Team(_))
}

/// What is demanded of whoever reads a room.
pub fn read(asker: &Principal, room: &RoomName) -> Demand {
    match room {
        RoomName::Team(team) => in_team(Right::ReadTeam, team),
        RoomName::Direct(whose, _) if human(asker) == Some(whose) => entered(room),
        RoomName::Direct(..) => cluster(Right::Manage),
    }
}

fn entered(room: &RoomName) -> Demand {
    match room {
        RoomName::Team(team) | RoomName::Direct(_, Persona::Butler(team)) => {
            in_team(Right::TalkToButler, team)
        }
        RoomName::Direct(_, Persona::Worker(worker)) => in_team(Right::TalkToWorker, &worker.team),
        RoomName::Direct(_, Persona::Manager) => cluster(Right::Manage),
    }
}
