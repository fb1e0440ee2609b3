//! The facts that a decision leans on, read off the state.
//!
//! # Invariant
//! Nothing else is told to the policies: what somebody wrote in a brief, a room or a result is not
//! among the facts, so no text can widen a right.

use rules::human::TeamRole;
use rules::id::{HumanName, TeamName};
use rules::right::{Demand, Right, Tie};
use rules::{Principal, State, Who};

/// What kind of asker it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Human,
    Manager,
    Butler,
    Worker,
    Node,
    Ledger,
    Stranger,
}

/// Everything that the matrix looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the independent facts that policies name one by one"
)]
pub(super) struct Facts {
    pub right: Right,
    pub kind: Kind,
    pub tie: Tie,
    pub role: Option<TeamRole>,
    pub is_admin: bool,
    pub is_in_team: bool,
    pub is_for_human: bool,
    pub is_own_team: bool,
    pub is_by_token: bool,
    pub is_beyond_token: bool,
}

/// The names that policies of the organisation may look at besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Asker {
    pub human: Option<HumanName>,
    pub team: Option<TeamName>,
}

impl Facts {
    /// Whether a persona, a node or the ledger acts of itself.
    pub fn is_persona(&self) -> bool {
        !self.is_for_human && !matches!(self.kind, Kind::Human | Kind::Stranger)
    }
}

/// The facts of each of those who must have the right: who speaks, and for whom.
pub(super) fn of(
    state: &State,
    asker: &Principal,
    demand: &Demand,
) -> impl Iterator<Item = (Facts, Asker)> {
    let speaker = speaker(state, asker, demand);
    let behind = asker
        .on_behalf_of
        .as_ref()
        .map(|human| of_human(state, human, asker, demand));
    std::iter::once(speaker).chain(behind)
}

fn speaker(state: &State, asker: &Principal, demand: &Demand) -> (Facts, Asker) {
    let is_for_human = asker.on_behalf_of.is_some();
    let (kind, own_team) = match &asker.who {
        // No human speaks for another: then nobody knows who it is.
        Who::Human(_) if is_for_human => (Kind::Stranger, None),
        Who::Human(human) => return of_human(state, human, asker, demand),
        Who::Manager { .. } => (Kind::Manager, None),
        Who::Butler { team, .. } => (Kind::Butler, Some(team)),
        Who::Worker { .. } => (Kind::Worker, None),
        Who::Node(_) => (Kind::Node, None),
        Who::Ledger => (Kind::Ledger, None),
    };
    let facts = Facts {
        is_own_team: own_team.is_some() && own_team == demand.team.as_ref(),
        is_for_human,
        ..plain(kind, demand)
    };
    let names = Asker {
        human: None,
        team: demand.team.clone(),
    };
    (facts, names)
}

fn of_human(
    state: &State,
    human: &HumanName,
    asker: &Principal,
    demand: &Demand,
) -> (Facts, Asker) {
    let people = &state.people;
    let names = Asker {
        human: Some(human.clone()),
        team: demand.team.clone(),
    };
    let token = asker.token.as_ref();
    let found = token.map(|token| people.token(human, token));
    if !people.is_known(human) || found.is_some_and(|found| found.is_none()) {
        return (plain(Kind::Stranger, demand), names);
    }
    let only_in = found.flatten().and_then(|found| found.team.as_ref());
    let team = demand.team.as_ref();
    let facts = Facts {
        is_admin: people.is_admin(human),
        role: team.and_then(|team| people.role(human, team)),
        is_by_token: token.is_some(),
        is_beyond_token: only_in.is_some() && only_in != team,
        ..plain(Kind::Human, demand)
    };
    (facts, names)
}

fn plain(kind: Kind, demand: &Demand) -> Facts {
    Facts {
        right: demand.right,
        kind,
        tie: demand.tie,
        role: None,
        is_admin: false,
        is_in_team: demand.team.is_some(),
        is_for_human: false,
        is_own_team: false,
        is_by_token: false,
        is_beyond_token: false,
    }
}
