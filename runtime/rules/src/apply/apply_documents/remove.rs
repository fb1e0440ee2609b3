//! A document goes: what it described ends with it.

use crate::duty::Subject;
use crate::id::WorkerId;
use crate::room::{Persona, RoomName};
use crate::step::Step;
use crate::team::DocumentName;

use super::super::replace_worker;

pub(super) fn one(step: &mut Step<'_>, name: &DocumentName) {
    match name {
        DocumentName::Playbook(team, playbook) => {
            if let Some(team) = step.state.teams.get_mut(team) {
                team.playbooks.remove(playbook);
            }
        }
        DocumentName::Worker(id) => worker(step, id),
        DocumentName::Team(name) => {
            let Some(team) = step.state.teams.get(name) else {
                return;
            };
            for member in team.workers.clone() {
                let id = WorkerId {
                    team: name.clone(),
                    name: member,
                };
                worker(step, &id);
            }
            step.leave_team(name);
            step.state.teams.remove(name);
            step.forget_people_of(name);
            step.close_rooms(|room| match room {
                RoomName::Team(team) | RoomName::Direct(_, Persona::Butler(team)) => team == name,
                RoomName::Direct(_, Persona::Manager | Persona::Worker(_)) => false,
            });
            step.touched.insert(Subject::Team(name.clone()));
        }
    }
}

pub(super) fn worker(step: &mut Step<'_>, id: &WorkerId) {
    replace_worker::interrupt(step, id, "the worker was removed");
    step.leave_worker(id);
    step.state.workers.remove(id);
    if let Some(team) = step.state.teams.get_mut(&id.team) {
        team.workers.remove(&id.name);
    }
    step.touched.insert(Subject::Worker(id.clone()));
    step.close_rooms(
        |room| matches!(room, RoomName::Direct(_, Persona::Worker(worker)) if worker == id),
    );
}
