//! Who leads, since when and why: what this node saw of it.

use rules::id::NodeId;
use runtime::clock::{self, BootMs, WallMs};
use runtime::ledger::{Ledger, LedgerStatus};
use tokio::sync::watch;

/// What this node saw of the leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reign {
    pub(super) term: u64,
    pub(super) leader: Option<NodeId>,
    /// Since when, for display.
    pub(super) since: WallMs,
    /// Since when this node knows of no leader.
    pub(super) without_leader_since: Option<BootMs>,
}

impl Reign {
    fn seen(status: &LedgerStatus) -> Self {
        Self {
            term: status.term,
            leader: status.leader,
            since: clock::wall(),
            without_leader_since: status.leader.is_none().then(clock::boot),
        }
    }

    /// Why it is that one, or why there is none.
    pub(super) fn because(&self, nodes: usize) -> String {
        match (self.leader, nodes) {
            (None, _) => {
                "no node has the votes of a majority: look whether enough of them run and \
                          reach each other"
                    .to_owned()
            }
            (Some(_), 0 | 1) => "it is the cluster's only node".to_owned(),
            (Some(_), _) => format!("it was elected in term {}", self.term),
        }
    }
}

/// Follows who leads, as long as the answer is looked at.
pub(super) fn follow(ledger: &Ledger) -> watch::Receiver<Reign> {
    let mut status = ledger.watch_status();
    let (seen, follower) = watch::channel(Reign::seen(&status.borrow_and_update()));
    tokio::spawn(async move {
        loop {
            tokio::select! {
                changed = status.changed() => if changed.is_err() { return },
                () = seen.closed() => return,
            }
            let now = status.borrow_and_update().clone();
            seen.send_if_modified(|reign| {
                let is_other = (reign.term, reign.leader) != (now.term, now.leader);
                if is_other {
                    *reign = Reign::seen(&now);
                }
                is_other
            });
        }
    });
    follower
}
