//! The port through which the Manager understands what people say to him.
//!
//! # Why
//! The plain commands are one understanding; what an agent makes of a conversation is another. Both
//! come to the same wishes, which are carried out under the rights of whoever spoke: an understanding
//! decides nothing. A Manager who dies in the middle is followed by one who asks again, so the same
//! words are to come to the same wish.

use std::future::Future;
use std::pin::Pin;

use rules::human::TeamRole;
use rules::id::{HumanName, TeamName, WorkerId, WorkerName};

/// What a person wishes of the Manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To know what can be said.
    Help,
    /// To know the teams.
    List,
    /// To know who is in a team.
    Who(TeamName),
    /// A new team.
    CreateTeam {
        /// Its name.
        team: TeamName,
        /// What it is for.
        purpose: Option<String>,
        /// Its butler's name.
        butler: Option<WorkerName>,
        /// The team whose agent, playbooks and workers it gets, too.
        like: Option<TeamName>,
    },
    /// A new worker, like another.
    CreateWorker {
        /// Which.
        worker: WorkerId,
        /// Like which.
        like: WorkerId,
    },
    /// People who have accounts come into a team.
    Invite {
        /// Who.
        people: Vec<HumanName>,
        /// Where.
        team: TeamName,
        /// As what.
        role: TeamRole,
    },
    /// The people of the attached roster come into a team.
    AddPeople {
        /// Where.
        team: TeamName,
        /// As what.
        role: TeamRole,
    },
}

/// A wish that is being understood; or what to say instead.
pub type Understood<'a> = Pin<Box<dyn Future<Output = Result<Wish, String>> + Send + 'a>>;

/// Understands what people say to the Manager; what it does not, it refuses with what to say instead.
pub trait Understanding: Send + Sync {
    /// What is wished.
    fn understand<'a>(&'a self, text: &'a str) -> Understood<'a>;
}
