//! A node's personas, running: the root, fed with what the ledger tells.
//!
//! # Why
//! What is fed are hints. A root that comes late reads everything off the state at its start.

use ractor::{Actor as _, ActorRef, SpawnErr};
use runtime::ledger::{Changes, Ledger};
use tokio::task::{JoinHandle, JoinSet};

use crate::havoc::Havoc;
use crate::house::House;
use crate::tree::{Root, RootMsg};

/// The personas of a node.
pub struct Household {
    root: ActorRef<RootMsg>,
    personas: JoinHandle<()>,
    feeding: JoinSet<()>,
}

impl Household {
    /// Starts the personas: they read their duties off the state and go on.
    pub async fn found(house: House, changes: Changes) -> Result<Self, SpawnErr> {
        let ledger = house.ledger.clone();
        let (root, personas) = Root::spawn(None, Root, house).await?;
        let mut feeding = JoinSet::new();
        feeding.spawn(tell_changes(root.clone(), changes));
        feeding.spawn(tell_leadership(root.clone(), ledger));
        Ok(Self {
            root,
            personas,
            feeding,
        })
    }

    /// The root: how the personas are can be asked there.
    pub fn root(&self) -> &ActorRef<RootMsg> {
        &self.root
    }

    /// What its personas are broken with, on purpose.
    pub fn havoc(&self) -> Havoc {
        Havoc(self.root.clone())
    }

    /// Returns when the root has ended, which it does only by a fault.
    pub async fn ended(&mut self) {
        // However it ended, it has.
        let _ = (&mut self.personas).await;
    }

    /// Ends the personas at once; agents go on, and are found again at the next start.
    pub async fn leave(mut self) {
        self.root.kill();
        self.feeding.shutdown().await;
        if !self.personas.is_finished() {
            let _ = self.personas.await;
        }
    }
}

async fn tell_changes(root: ActorRef<RootMsg>, mut changes: Changes) {
    while let Some(touched) = changes.next().await {
        if root.cast(RootMsg::Changed(touched)).is_err() {
            return;
        }
    }
}

async fn tell_leadership(root: ActorRef<RootMsg>, ledger: Ledger) {
    let mut status = ledger.watch_status();
    loop {
        let leads = {
            let status = status.borrow_and_update();
            status.is_leader.then_some(status.term)
        };
        if root.cast(RootMsg::Leads(leads)).is_err() || status.changed().await.is_err() {
            return;
        }
    }
}
