//! What only this node knows, its personas included.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actors::RootMsg;
use actors::tree::Child;
use futures_util::future::BoxFuture;
use rules::duty::Holder;
use runtime::clock;
use runtime::spool::{AttemptName, AttemptWatch, Spool};
use runtime::workshop::Bench;

use crate::admin::Here;
use crate::admin::wire::{ManagerOrder, Moment, Trouble};

/// What only this node knows, with the root of its personas.
pub(super) struct HouseholdHere {
    here: Arc<dyn Here>,
    tell: Box<dyn Fn(RootMsg) -> bool + Send + Sync>,
    is_manager_held: AtomicBool,
}

impl HouseholdHere {
    pub(super) fn new(
        here: Arc<dyn Here>,
        tell: impl Fn(RootMsg) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            here,
            tell: Box::new(tell),
            is_manager_held: AtomicBool::new(false),
        }
    }
}

impl Here for HouseholdHere {
    fn spool<'a>(&'a self, bench: &'a Bench) -> BoxFuture<'a, Option<Spool>> {
        self.here.spool(bench)
    }

    fn watch(&self, spool: &Spool, attempt: &AttemptName) -> AttemptWatch {
        self.here.watch(spool, attempt)
    }

    fn troubles(&self) -> Vec<Trouble> {
        let mut troubles = self.here.troubles();
        if self.is_manager_held.load(Ordering::Relaxed) {
            troubles.push(Trouble {
                what: "this node's Manager is held dead: what needs a place or has no team waits \
                       while this node leads"
                    .to_owned(),
                hint: "`domo chaos manager release` lets him live again".to_owned(),
                seen: Moment::from_ms(clock::wall().0),
                count: 1,
            });
        }
        troubles
    }

    fn order_manager(&self, order: ManagerOrder) -> bool {
        let message = match order {
            ManagerOrder::Hold => RootMsg::HoldManager(true),
            ManagerOrder::Release => RootMsg::HoldManager(false),
            ManagerOrder::Crash => RootMsg::Crash(Child::Persona(Holder::Manager)),
        };
        tracing::warn!(?order, "somebody gives the Manager an order");
        let is_told = (self.tell)(message);
        if is_told && order != ManagerOrder::Crash {
            let is_held = order == ManagerOrder::Hold;
            self.is_manager_held.store(is_held, Ordering::Relaxed);
        }
        is_told
    }
}
