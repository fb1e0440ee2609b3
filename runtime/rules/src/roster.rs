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

impl HumanSpec {
    /// Whether it says anything new about the account itself.
    pub(crate) fn changes(&self, known: &Human) -> bool {
        let is_other = |new: Option<&str>, old: Option<&str>| new.is_some() && new != old;
        let employee = |employee: &Option<EmployeeId>| employee.as_ref().map(ToString::to_string);
        is_other(self.display.as_deref(), known.display.as_deref())
            || is_other(
                employee(&self.employee).as_deref(),
                employee(&known.employee).as_deref(),
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
