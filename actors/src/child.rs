//! A child of the root: which one it is, how it is started, and how it is spoken to.

use ractor::{Actor, ActorCell, ActorRef, SpawnErr};
use rules::duty::Holder;

use crate::butler::{Butler, ButlerArgs, ButlerMsg};
use crate::errand::Duties;
use crate::house::House;
use crate::janitor::{Janitor, JanitorArgs, JanitorMsg};
use crate::manager::{Manager, ManagerArgs, ManagerMsg};
use crate::tree::RootMsg;
use crate::worker::{Worker, WorkerArgs, WorkerMsg};

/// A child of the root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Child {
    /// A persona with duties.
    Persona(Holder),
    /// The janitor.
    Janitor,
}

/// A child that runs.
pub(crate) enum Handle {
    Manager(ActorRef<ManagerMsg>),
    Butler(ActorRef<ButlerMsg>),
    Worker(ActorRef<WorkerMsg>),
    Janitor(ActorRef<JanitorMsg>),
}

/// Spawns a child's actor; none where it has no place now.
pub(crate) async fn spawn(
    me: &ActorRef<RootMsg>,
    house: &House,
    term: Option<u64>,
    child: &Child,
) -> Option<Result<Handle, SpawnErr>> {
    let (house, up) = (house.clone(), me.get_cell());
    let started = match child {
        Child::Janitor => {
            let root = me.clone();
            let given = JanitorArgs { house, root };
            let spawned = Actor::spawn_linked(None, Janitor, given, up).await;
            spawned.map(|(actor, _)| Handle::Janitor(actor))
        }
        Child::Persona(Holder::Manager) => {
            let given = ManagerArgs { house, term: term? };
            let spawned = Actor::spawn_linked(None, Manager, given, up).await;
            spawned.map(|(actor, _)| Handle::Manager(actor))
        }
        Child::Persona(Holder::Butler(team, _, epoch)) => {
            let (team, epoch) = (team.clone(), *epoch);
            let given = ButlerArgs { house, team, epoch };
            let spawned = Actor::spawn_linked(None, Butler, given, up).await;
            spawned.map(|(actor, _)| Handle::Butler(actor))
        }
        Child::Persona(Holder::Worker(worker, _)) => {
            let worker = worker.clone();
            let given = WorkerArgs { house, worker };
            let spawned = Actor::spawn_linked(None, Worker, given, up).await;
            spawned.map(|(actor, _)| Handle::Worker(actor))
        }
    };
    Some(started)
}

impl Handle {
    /// Its actor.
    pub(crate) fn cell(&self) -> ActorCell {
        match self {
            Self::Manager(actor) => actor.get_cell(),
            Self::Butler(actor) => actor.get_cell(),
            Self::Worker(actor) => actor.get_cell(),
            Self::Janitor(actor) => actor.get_cell(),
        }
    }

    /// Tells it of a change in its duties.
    pub(crate) fn serve(&self, duties: Duties) {
        // A child that is gone is noticed by its end, not here.
        let _ = match self {
            Self::Manager(manager) => manager.cast(ManagerMsg::Serve(duties)).is_ok(),
            Self::Butler(butler) => butler.cast(ButlerMsg::Serve(duties)).is_ok(),
            Self::Worker(worker) => worker.cast(WorkerMsg::Serve(duties)).is_ok(),
            Self::Janitor(_) => true,
        };
    }

    /// Has it panic, because a test or an operator says so.
    pub(crate) fn crash(&self) {
        // One that is gone has crashed already.
        let _ = match self {
            Self::Manager(manager) => manager.cast(ManagerMsg::Crash).is_ok(),
            Self::Butler(butler) => butler.cast(ButlerMsg::Crash).is_ok(),
            Self::Worker(worker) => worker.cast(WorkerMsg::Crash).is_ok(),
            Self::Janitor(janitor) => janitor.cast(JanitorMsg::Crash).is_ok(),
        };
    }
}
