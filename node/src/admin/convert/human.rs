//! Humans between the wire and the rules.

use rules::State;
use rules::human::{self, HumanToken};
use rules::id::{BadName, HumanName, TokenName};
use rules::roster::HumanSpec;
use runtime::redact::redacted;

use crate::admin::wire::{
    HumanLine, HumanTokenLine, HumanView, HumanWish, Moment, RoleIn, TeamRole,
};

/// A role as the rules know it.
pub(crate) fn role(role: TeamRole) -> human::TeamRole {
    match role {
        TeamRole::Lead => human::TeamRole::Lead,
        TeamRole::Member => human::TeamRole::Member,
    }
}

fn shown(role: human::TeamRole) -> TeamRole {
    match role {
        human::TeamRole::Lead => TeamRole::Lead,
        human::TeamRole::Member => TeamRole::Member,
    }
}

/// What shall be of a human, as the rules know it.
pub(crate) fn spec(wish: &HumanWish) -> Result<HumanSpec, BadName> {
    let roles = wish.roles.iter();
    let roles = roles.map(|one| Ok((one.team.parse()?, role(one.role))));
    Ok(HumanSpec {
        name: wish.name.parse()?,
        display: wish.display.clone().map(redacted),
        employee: wish.employee.as_deref().map(str::parse).transpose()?,
        teams: roles.collect::<Result<_, BadName>>()?,
    })
}

/// A human in a line; none where there is no account of that name.
pub(crate) fn line(state: &State, name: &HumanName) -> Option<HumanLine> {
    let human = state.people.humans.get(name)?;
    let roles = human.teams.iter().filter_map(|team| {
        let role = shown(state.people.role(name, team)?);
        let team = team.to_string();
        Some(RoleIn { team, role })
    });
    Some(HumanLine {
        name: name.to_string(),
        display: human.display.clone(),
        employee: human.employee.as_ref().map(ToString::to_string),
        is_admin: human.is_admin,
        roles: roles.collect(),
    })
}

/// Everything about a human.
pub(crate) fn view(state: &State, name: &HumanName) -> Option<HumanView> {
    let tokens = state.people.humans.get(name)?.tokens.iter();
    let token = |(name, token): (&TokenName, &HumanToken)| HumanTokenLine {
        name: name.to_string(),
        team: token.team.as_ref().map(ToString::to_string),
        minted_by: token.minted_by.clone(),
        minted: Moment::from_ms(token.minted_wall_ms),
        left_ms: token.until.0.saturating_sub(state.clock.0),
    };
    Some(HumanView {
        human: line(state, name)?,
        tokens: tokens.map(token).collect(),
    })
}
