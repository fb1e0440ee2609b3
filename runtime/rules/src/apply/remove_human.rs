//! A human takes an account away: its roles and tokens end with it.

use crate::id::{HumanName, TeamName, TokenName};
use crate::room::RoomName;
use crate::state::Alarm;
use crate::step::Step;
use crate::verdict::{Outcome, Rejection, Verdict};

use super::fence;

pub(super) fn apply(step: &mut Step<'_>, name: &HumanName) -> Verdict {
    fence::human(step)?;
    let people = &mut step.state.people;
    let Some(human) = people.humans.get(name) else {
        return Err(Rejection::NoHuman(name.clone()));
    };
    let (teams, tokens) = (human.teams.clone(), human.tokens.clone());
    let employee = human.employee.clone();
    for team in &teams {
        people.give(name, team, None);
    }
    people.changed_in(&teams);
    for token in tokens.keys() {
        step.end_token(name, token);
    }
    let (version, people) = (step.state.version, &mut step.state.people);
    people.humans.remove(name);
    if let Some(employee) = employee {
        people.free(version, &employee, name);
    }
    people.changed();
    step.close_rooms(|room| matches!(room, RoomName::Direct(human, _) if human == name));
    Ok(Outcome::Done)
}

impl Step<'_> {
    /// Ends a human's token before its time; says whether there was one.
    pub(super) fn end_token(&mut self, human: &HumanName, token: &TokenName) -> bool {
        let Some(until) = self.state.people.take_token(human, token) else {
            return false;
        };
        let alarm = Alarm::HumanToken(human.clone(), token.clone());
        self.state.alarms.remove(&(until, alarm));
        true
    }

    /// Forgets who was what in a team that is no more, so that nobody is it in the next one of its
    /// name.
    pub(super) fn forget_people_of(&mut self, team: &TeamName) {
        let people = &mut self.state.people;
        let narrowed: Vec<(HumanName, TokenName)> = people
            .humans
            .iter()
            .flat_map(|(human, account)| account.tokens.iter().map(move |token| (human, token)))
            .filter(|(_, (_, token))| token.team.as_ref() == Some(team))
            .map(|(human, (name, _))| (human.clone(), name.clone()))
            .collect();
        if let Some(roll) = people.rolls.remove(team) {
            for human in roll.roles.keys() {
                if let Some(human) = people.humans.get_mut(human) {
                    human.teams.remove(team);
                }
            }
        }
        people.changed();
        for (human, token) in &narrowed {
            self.end_token(human, token);
        }
    }
}
