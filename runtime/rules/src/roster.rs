//! A roster: people who are to have accounts and roles, all of them or none.
//!
//! # Why
//! Fifty thousand people are some megabytes, and no entry may be that large: it would hold up the
//! heartbeats behind it. So a large roster comes in pieces that are laid aside, and the last one
//! makes all of it so at once, under one revision. The road not taken, naming a blob, would have
//! the rules read a file that a node may not have yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::human::{Human, People, TeamRole};
use crate::id::{ClockMs, EmployeeId, HumanName, TeamName};
use crate::limits;
use crate::state::State;
use crate::version;

/// What shall be of a human; what is not said stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HumanSpec {
    /// What they are called where they log in.
    pub name: HumanName,
    /// What they are called.
    pub display: Option<String>,
    /// Their number among the organisation's people.
    pub employee: Option<EmployeeId>,
    /// What they shall be in teams, beside what they are in others.
    pub teams: BTreeMap<TeamName, TeamRole>,
}

/// What a roster makes of one of its people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Becoming {
    /// Whether they get an account.
    pub is_new: bool,
    /// What they were called, and are called then.
    pub display: Option<(Option<String>, String)>,
    /// The number that they get; they had none.
    pub employee: Option<EmployeeId>,
    /// Roles that change: where, what they were, what they are then.
    pub roles: Vec<(TeamName, Option<TeamRole>, TeamRole)>,
    /// Teams that they lead, and go on leading though the roster says less.
    pub stays_lead_of: Vec<TeamName>,
}

impl Becoming {
    /// Whether all is so already.
    pub fn is_nothing(&self) -> bool {
        let is_same = self.display.is_none() && self.employee.is_none();
        is_same && !self.is_new && self.roles.is_empty()
    }
}

impl HumanSpec {
    /// What becomes of whom it describes. Since [`version::PEOPLE`] it lowers nobody: a roster says who
    /// belongs to a team, not who no longer leads it.
    pub fn becoming(&self, state: &State) -> Becoming {
        let people = &state.people;
        let known = people.humans.get(&self.name);
        let mut becoming = Becoming {
            is_new: known.is_none(),
            ..Becoming::default()
        };
        let called = known.and_then(|known| known.display.as_ref());
        if let Some(display) = self.display.as_ref().filter(|new| Some(*new) != called) {
            becoming.display = Some((called.cloned(), display.clone()));
        }
        if known.is_none_or(|known| known.employee.is_none()) {
            becoming.employee.clone_from(&self.employee);
        }
        for (team, wanted) in &self.teams {
            match (people.role(&self.name, team), *wanted) {
                (Some(present), wanted) if present == wanted => {}
                (Some(TeamRole::Lead), TeamRole::Member) if state.version >= version::PEOPLE => {
                    becoming.stays_lead_of.push(team.clone());
                }
                (present, wanted) => becoming.roles.push((team.clone(), present, wanted)),
            }
        }
        becoming
    }

    /// Whether it says anything new about the account itself.
    pub(crate) fn changes(&self, known: &Human, version: u32) -> bool {
        let is_other = |new: Option<&str>, old: Option<&str>| new.is_some() && new != old;
        let number = |employee: &Option<EmployeeId>| {
            let employee = employee.as_ref();
            employee.map(|employee| People::number(version, employee).to_string())
        };
        is_other(self.display.as_deref(), known.display.as_deref())
            || is_other(
                number(&self.employee).as_deref(),
                number(&known.employee).as_deref(),
            )
    }
}

/// Which piece of a roster it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Names the roster: a digest of all of it.
    pub roster: [u8; 32],
    /// The piece, from 1; the last one makes all of them so.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

/// The pieces of a roster that have come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Whose it is.
    pub by: String,
    /// How many pieces it has.
    pub of: u32,
    /// Those that have come, in their order.
    pub pieces: Vec<Vec<HumanSpec>>,
    /// When it is dropped if the rest does not come.
    pub until: ClockMs,
}

/// The most bytes that a person takes in an entry beside their texts: lengths and marks.
const AROUND_BYTES: usize = 64;
/// Bytes of people in one entry: a margin stays for what stands around them.
const PIECE_BYTES: usize = limits::MAX_ENTRY_BYTES - 8 * 1024;

/// A roster in pieces of which each fits into an entry; one that fits whole is in no pieces.
pub fn in_pieces(put: Vec<HumanSpec>, roster: [u8; 32]) -> Vec<(Vec<HumanSpec>, Option<Piece>)> {
    let mut pieces: Vec<Vec<HumanSpec>> = vec![Vec::new()];
    let mut bytes = 0;
    for spec in put {
        let more = spec.most_bytes();
        if bytes + more > PIECE_BYTES {
            pieces.push(Vec::new());
            bytes = 0;
        }
        bytes += more;
        if let Some(last) = pieces.last_mut() {
            last.push(spec);
        }
    }
    let of = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
    let numbered = (1..=of).zip(pieces);
    numbered
        .map(|(number, put)| {
            let piece = Piece { roster, number, of };
            (put, (of > 1).then_some(piece))
        })
        .collect()
}

impl HumanSpec {
    /// How many bytes it takes in an entry, or some more.
    fn most_bytes(&self) -> usize {
        let display = self.display.as_ref().map_or(0, String::len);
        let employee = self.employee.as_ref().map_or(0, |id| id.as_str().len());
        let teams = self.teams.keys().map(|team| team.as_str().len() + 8);
        AROUND_BYTES + self.name.as_str().len() + display + employee + teams.sum::<usize>()
    }
}

impl People {
    /// What came before the last piece of a roster; nothing before any other.
    pub fn before<'a>(&'a self, piece: &Piece) -> impl Iterator<Item = &'a HumanSpec> + use<'a> {
        let is_last = piece.number == piece.of;
        let staged = self.staged.get(&piece.roster).filter(|_| is_last);
        staged
            .into_iter()
            .flat_map(|staged| staged.pieces.iter().flatten())
    }
}
