//! A human: a person with an account, their roles in teams, and the tokens by which they are known.
//!
//! # Invariant
//! Whatever a decision leans on has a revision that rises when it changes: each team's roles have
//! one of their own, admins, tokens, teams and policies share one. A pair of both never comes back.
//!
//! # Why
//! Who is in a team stands with the team, not with the person: a change in one team then disturbs
//! nothing that is decided about another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{ClockMs, EmployeeId, HumanName, PolicyName, TeamName, TokenName};
use crate::roster::Staged;
use crate::version;

/// The human who is always there: whoever could replace the daemon anyway.
pub const ADMIN: &str = "admin";
/// Names that nobody is given: personas and nodes are told by these words.
pub const RESERVED: [&str; 6] = [ADMIN, "butler", "ledger", "manager", "node", "worker"];

/// What a human is in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TeamRole {
    /// They lead it.
    Lead,
    /// They belong to it.
    Member,
}

impl fmt::Display for TeamRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lead => "lead",
            Self::Member => "member",
        })
    }
}

/// What a human's role becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleChange {
    /// They may do everything, or no longer.
    Admin {
        /// Whether they may.
        is_admin: bool,
    },
    /// They are this in a team; without a role they leave it.
    Team {
        /// Which team.
        team: TeamName,
        /// What they are there.
        role: Option<TeamRole>,
    },
}

/// A token by which a human is known; its secret was shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HumanToken {
    /// The SHA-256 of its secret.
    pub hash: [u8; 32],
    /// When it ends, by the ledger's clock.
    pub until: ClockMs,
    /// The one team that it is good for; without one it is good for all that its human may.
    pub team: Option<TeamName>,
    /// Who made it.
    pub minted_by: String,
    /// When, for people to read.
    pub minted_wall_ms: u64,
}

/// A person's account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Human {
    /// What they are called.
    pub display: Option<String>,
    /// Their number among the organisation's people.
    pub employee: Option<EmployeeId>,
    /// Whether they may do everything that humans may.
    pub is_admin: bool,
    /// The teams that they have a role in.
    pub teams: BTreeSet<TeamName>,
    /// The tokens by which they are known.
    pub tokens: BTreeMap<TokenName, HumanToken>,
}

/// The people of a team.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    /// Rises with each change of it.
    pub revision: u64,
    /// Who is what.
    pub roles: BTreeMap<HumanName, TeamRole>,
}

/// Everybody, and what the organisation forbids them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// Rises with each change of admins, tokens, teams and policies.
    pub revision: u64,
    /// The accounts; the built-in admin has none.
    pub humans: BTreeMap<HumanName, Human>,
    /// Whose each employee's number is, by [`People::number`].
    pub employees: BTreeMap<EmployeeId, HumanName>,
    /// Whose token each hash is.
    pub hashes: BTreeMap<[u8; 32], (HumanName, TokenName)>,
    /// The people of each team that has some, or had.
    pub rolls: BTreeMap<TeamName, Roll>,
    /// The organisation's own policies.
    pub policies: BTreeMap<PolicyName, String>,
    /// Rosters of which not all has come.
    pub staged: BTreeMap<[u8; 32], Staged>,
    /// Rises with each change of any of it, so that whoever looks on sees that there was one.
    pub changes: u64,
}

impl People {
    /// What an employee's number is known by: since [`version::PEOPLE`] `00123` and `123` are one.
    pub(crate) fn number(version: u32, number: &EmployeeId) -> EmployeeId {
        if version >= version::PEOPLE {
            number.significant()
        } else {
            number.clone()
        }
    }

    /// Has each number known by what it is known by since [`version::PEOPLE`]. Of two people who have
    /// one number already the first in the order of what is written keeps it.
    pub(crate) fn renumber(&mut self) {
        for (number, human) in std::mem::take(&mut self.employees) {
            let number = number.significant();
            self.employees.entry(number).or_insert(human);
        }
    }

    /// Has a number no longer be that of somebody who is gone. Two may have had it before it was
    /// known that it is one.
    pub(crate) fn free(&mut self, version: u32, number: &EmployeeId, gone: &HumanName) {
        let number = Self::number(version, number);
        if self.employees.get(&number) != Some(gone) {
            return;
        }
        self.employees.remove(&number);
        let is_same = |human: &Human| {
            let written = human.employee.as_ref();
            written.is_some_and(|written| Self::number(version, written) == number)
        };
        let other = self.humans.iter().find(|(_, human)| is_same(human));
        if let Some((other, _)) = other {
            self.employees.insert(number, other.clone());
        }
    }

    /// The revision of a team's roles.
    pub fn revision_of(&self, team: Option<&TeamName>) -> u64 {
        team.and_then(|team| self.rolls.get(team))
            .map_or(0, |roll| roll.revision)
    }

    /// Whether there is such a human; the built-in admin is one.
    pub fn is_known(&self, human: &HumanName) -> bool {
        human.as_str() == ADMIN || self.humans.contains_key(human)
    }

    /// Whether they are an admin.
    pub fn is_admin(&self, human: &HumanName) -> bool {
        human.as_str() == ADMIN || self.humans.get(human).is_some_and(|human| human.is_admin)
    }

    /// What they are in a team.
    pub fn role(&self, human: &HumanName, team: &TeamName) -> Option<TeamRole> {
        self.rolls.get(team)?.roles.get(human).copied()
    }

    /// That admins, tokens, teams or policies changed.
    pub(crate) fn changed(&mut self) {
        self.revision += 1;
        self.changes += 1;
    }

    /// That the roles in these teams changed.
    pub(crate) fn changed_in<'a>(&mut self, teams: impl IntoIterator<Item = &'a TeamName>) {
        for team in teams {
            self.rolls.entry(team.clone()).or_default().revision += 1;
            self.changes += 1;
        }
    }

    /// Gives a human a role in a team, or takes it; says whether that changed anything. Whoever
    /// calls it says which teams changed.
    pub(crate) fn give(
        &mut self,
        name: &HumanName,
        team: &TeamName,
        role: Option<TeamRole>,
    ) -> bool {
        if self.role(name, team) == role {
            return false;
        }
        let Some(human) = self.humans.get_mut(name) else {
            return false;
        };
        let roles = &mut self.rolls.entry(team.clone()).or_default().roles;
        if let Some(role) = role {
            human.teams.insert(team.clone());
            roles.insert(name.clone(), role);
        } else {
            human.teams.remove(team);
            roles.remove(name);
        }
        true
    }

    /// Takes a token from a human; gives when it would have ended.
    pub(crate) fn take_token(&mut self, name: &HumanName, token: &TokenName) -> Option<ClockMs> {
        let taken = self.humans.get_mut(name)?.tokens.remove(token)?;
        self.hashes.remove(&taken.hash);
        self.changed();
        Some(taken.until)
    }

    /// Whose token it is that has this hash, and which one.
    pub fn of_token(&self, hash: &[u8; 32]) -> Option<&(HumanName, TokenName)> {
        self.hashes.get(hash)
    }

    /// A token of a human.
    pub fn token(&self, human: &HumanName, token: &TokenName) -> Option<&HumanToken> {
        self.humans.get(human)?.tokens.get(token)
    }
}
