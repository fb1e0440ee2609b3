//! A room: where the people and personas of a team talk; each case of the team is a thread in it.
//!
//! ```text
//! post ─┬─► the room, or the case in whose thread it is said
//!       ├─► the butler is spoken to: a case is opened, or amended
//!       ├─► a worker is spoken to: its running attempts hear it
//!       └─► the Manager is spoken to: he owes an answer
//! ```
//!
//! # Invariant
//! Numbers of posts rise through all rooms and are never used again. A room keeps its newest
//! [`limits::MAX_KEPT_POSTS`] and those that wait for an answer; older ones are in the archive, and
//! those of a thread stay with their case.
//!
//! # Why
//! What the system did is not posted: whoever reads a thread is shown the entries that did it, from
//! the case's history. A copy could differ from what it tells of, and would cost an entry more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::attempt::AttemptStatus;
use crate::case::{Attachment, Case};
use crate::id::{AttemptId, CaseId, ClockMs, HumanName, TeamName, WorkerId};
use crate::limits;
use crate::who::{Principal, Who};

/// A persona, whichever of its incarnations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Persona {
    /// The Manager.
    Manager,
    /// A team's butler.
    Butler(TeamName),
    /// A worker.
    Worker(WorkerId),
}

/// Which room.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RoomName {
    /// A team's.
    Team(TeamName),
    /// That of a person and a persona.
    Direct(HumanName, Persona),
}

/// Who said something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Speaker {
    /// A person.
    Human(HumanName),
    /// A persona.
    Persona(Persona),
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Its number among all posts, from 1.
    pub number: u64,
    /// The place of its entry in the ledger.
    pub index: u64,
    /// The wall clock of the node that took it in, for people to read.
    pub wall_ms: u64,
    /// Who said it.
    pub by: Speaker,
    /// What.
    pub text: String,
    /// What came with it.
    pub attachments: Vec<Attachment>,
    /// The post that it answers.
    pub answers: Option<u64>,
    /// The case that it opened or amended.
    pub case: Option<CaseId>,
    /// The running attempts that heard it.
    pub heard_by: Vec<AttemptId>,
}

/// What a running attempt was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The post.
    pub post: u64,
    /// Who said it.
    pub by: Speaker,
    /// What.
    pub text: String,
}

/// What was said in the thread of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// In the order of the ledger.
    pub posts: Vec<Post>,
    /// How many posts of personas had an agent act since a person spoke.
    pub chain: u32,
}

/// A room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// The number of its first post: what the archive has below it was said in a room before it.
    pub since: u64,
    /// Its newest posts, those of threads not among them.
    pub posts: VecDeque<Post>,
    /// Up to which post each has read.
    pub marks: BTreeMap<HumanName, u64>,
    /// Posts that wait for the Manager's answer.
    pub unanswered: BTreeSet<u64>,
    /// How many posts of personas had an agent act since a person spoke.
    pub chain: u32,
}

/// How much a persona has said lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// When the present minute began.
    pub since: ClockMs,
    /// Posts in it.
    pub posts: u32,
}

/// The rooms of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rooms {
    /// Those in which something was said or read.
    pub rooms: BTreeMap<RoomName, Room>,
    /// The number of the last post.
    pub last_post: u64,
    /// How many posts went to the archive.
    pub shelved: u64,
    /// How much personas have said lately.
    pub paces: BTreeMap<Persona, Pace>,
}

/// A post that leaves the state, and its room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelved {
    /// Where it was said.
    pub room: RoomName,
    /// What.
    pub post: Post,
}

impl Speaker {
    /// Who speaks, where it is somebody who can talk.
    pub fn of(principal: &Principal) -> Option<Self> {
        Some(match &principal.who {
            Who::Human(name) => Self::Human(name.clone()),
            Who::Manager { .. } => Self::Persona(Persona::Manager),
            Who::Butler { team, .. } => Self::Persona(Persona::Butler(team.clone())),
            Who::Worker { worker, .. } => Self::Persona(Persona::Worker(worker.clone())),
            Who::Node(_) | Who::Ledger => return None,
        })
    }
}

impl Rooms {
    /// Up to which post somebody has read a room.
    pub fn read_up_to(&self, room: &RoomName, human: &HumanName) -> u64 {
        let mark = self.rooms.get(room).and_then(|room| room.marks.get(human));
        mark.copied().unwrap_or_default()
    }

    /// The text of a post that waits for an answer.
    pub fn unanswered(&self, room: &RoomName, number: u64) -> Option<&Post> {
        let room = self.rooms.get(room)?;
        let waits = room.unanswered.contains(&number);
        room.posts
            .iter()
            .find(|post| waits && post.number == number)
    }
}

impl Room {
    /// Takes the posts out that are too many, the oldest first; those that wait stay.
    pub(crate) fn shelve(&mut self) -> Vec<Post> {
        let mut shelved = Vec::new();
        while self.posts.len() > limits::MAX_KEPT_POSTS + self.unanswered.len() {
            let oldest = self
                .posts
                .iter()
                .position(|post| !self.unanswered.contains(&post.number));
            let Some(post) = oldest.and_then(|at| self.posts.remove(at)) else {
                break;
            };
            shelved.push(post);
        }
        shelved
    }
}

impl Case {
    /// Whether a worker has an attempt of it that may still run.
    pub fn is_worked_on_by(&self, worker: &WorkerId) -> bool {
        self.live_attempts().any(|(_, attempt)| {
            attempt.worker == *worker && attempt.status <= AttemptStatus::Running
        })
    }
}

impl fmt::Display for Persona {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manager => f.write_str("manager"),
            Self::Butler(team) => write!(f, "butler of {team}"),
            Self::Worker(worker) => write!(f, "worker {worker}"),
        }
    }
}

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Human(name) => write!(f, "{name}"),
            Self::Persona(persona) => write!(f, "{persona}"),
        }
    }
}

impl fmt::Display for RoomName {
    /// `sre`, `ann@manager`, `ann@sre` (its butler), `ann@sre/disk` (its worker).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Team(team) => write!(f, "{team}"),
            Self::Direct(human, Persona::Manager) => write!(f, "{human}@manager"),
            Self::Direct(human, Persona::Butler(team)) => write!(f, "{human}@{team}"),
            Self::Direct(human, Persona::Worker(worker)) => write!(f, "{human}@{worker}"),
        }
    }
}

impl FromStr for RoomName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let team = |text: &str| TeamName::new(text).map_err(|why| why.to_string());
        let Some((human, with)) = text.split_once('@') else {
            return Ok(Self::Team(team(text)?));
        };
        let human = HumanName::new(human).map_err(|why| why.to_string())?;
        let persona = if with == "manager" {
            Persona::Manager
        } else if with.contains('/') {
            Persona::Worker(with.parse().map_err(|why| format!("{with}: {why}"))?)
        } else {
            Persona::Butler(team(with)?)
        };
        Ok(Self::Direct(human, persona))
    }
}

#[cfg(test)]
mod tests {
    use super::RoomName;

    #[test]
    fn a_room_is_written_as_it_is_read() {
        for name in ["sre", "ann@manager", "ann.b@sre", "ann@sre/disk"] {
            assert_eq!(name.parse::<RoomName>().unwrap().to_string(), name);
        }
        assert!("a@b@c".parse::<RoomName>().is_err());
    }
}
