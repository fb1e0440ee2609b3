//! A human changes what somebody may: in a team, or everywhere.

use crate::human::RoleChange;
use crate::id::HumanName;
use crate::limits;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict, over};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, name: &HumanName, change: &RoleChange) -> Verdict {
    fence::human(step)?;
    let is_team = |team| step.state.teams.contains_key(team);
    if let RoleChange::Team { team, .. } = change
        && !is_team(team)
    {
        return Err(Rejection::NoTeam(team.clone()));
    }
    let people = &mut step.state.people;
    let Some(human) = people.humans.get_mut(name) else {
        return Err(Rejection::NoHuman(name.clone()));
    };
    match change {
        RoleChange::Admin { is_admin } => {
            if human.is_admin != *is_admin {
                human.is_admin = *is_admin;
                people.changed();
            }
        }
        RoleChange::Team { team, role } => {
            let is_new = role.is_some() && !human.teams.contains(team);
            if is_new && human.teams.len() >= limits::MAX_HUMAN_TEAMS {
                return Err(over("max_human_teams", limits::MAX_HUMAN_TEAMS));
            }
            if people.give(name, team, *role) {
                people.changed_in([team]);
            }
        }
    }
    Ok(Outcome::Done)
}
