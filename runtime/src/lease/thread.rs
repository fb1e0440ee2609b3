//! The thread that leases live on, and what is shared with the rest of the daemon.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rules::State;
use rules::id::NodeId;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::words::Granted;
use super::{
    Grantor, Host, Known, LEASE, LeaseOptions, LeaseStatus, Line, Lines, Opinion, Refusal, renew,
    serve,
};
use crate::clock::{self, BootMs};
use crate::ledger::{Ledger, Reign, StorageStatus};

/// How often it is looked whether this node leads and has its quorum.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a new leader's catching up is waited for before it is tried anew.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(5);
/// How long what is under way may take when leases end.
const END_LIMIT: Duration = Duration::from_secs(1);

/// A host whose disk has taken no writes for so long does none of its duties: others are to do them.
const DISK_PATIENCE: Duration = Duration::from_secs(2);

/// A connection that a host has opened.
pub(super) type Came = (NodeId, Box<dyn Line>);

/// What the thread shares with the daemon.
#[derive(Debug)]
pub(super) struct Shared {
    pub node: NodeId,
    pub incarnation: u64,
    pub ledger: Ledger,
    pub lines: Arc<dyn Lines>,
    pub runtime: Handle,
    host: Mutex<Own>,
    grantor: Mutex<Grantor>,
    ends: watch::Sender<Option<BootMs>>,
}

/// This node as a host.
#[derive(Debug, Default)]
struct Own {
    host: Host,
    granted_by: Option<(NodeId, u64)>,
    trouble: Option<String>,
    /// Since when its disk takes no writes.
    refused_since: Option<BootMs>,
}

/// Starts the thread; it ends when it is told to, or when nobody can tell it any more.
pub(super) fn start(
    options: LeaseOptions,
    came: mpsc::Receiver<Came>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<Arc<Shared>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let shared = Arc::new(Shared {
        node: options.node,
        incarnation: options.incarnation,
        ledger: options.ledger,
        lines: options.lines,
        runtime: runtime.handle().clone(),
        host: Mutex::default(),
        grantor: Mutex::default(),
        ends: watch::Sender::new(None),
    });
    let of_thread = Arc::clone(&shared);
    let thread = std::thread::Builder::new().name("leases".to_owned());
    thread.spawn(move || {
        runtime.block_on(async move {
            tokio::select! {
                // Its end is the end of whoever could tell.
                _ = stop.wait_for(|stop| *stop) => {}
                () = reign(&of_thread) => {}
                () = renew::keep(&of_thread) => {}
                () = serve::serve(Arc::clone(&of_thread), came) => {}
            }
        });
        runtime.shutdown_timeout(END_LIMIT);
    })?;
    Ok(shared)
}

/// Follows whether this node leads; it grants only once it has applied all that was committed.
async fn reign(shared: &Shared) {
    loop {
        let reign = shared.ledger.reign();
        let is_new = shared.looked(reign);
        if let Some(reign) = reign.filter(|_| is_new)
            && let Ok(Ok(())) = timeout(CATCH_UP_LIMIT, shared.ledger.linearize()).await
            // It led all the while: nobody leads twice in one term.
            && shared.ledger.reign().map(|now| now.term) == Some(reign.term)
        {
            shared.grantor().lead(clock::boot(), reign.term);
        }
        sleep(LOOK_EVERY).await;
    }
}

impl Shared {
    /// Notes whether this node leads and has its quorum; says whether it does not grant.
    fn looked(&self, reign: Option<Reign>) -> bool {
        let mut grantor = self.grantor();
        if reign.is_none_or(|reign| grantor.term() != Some(reign.term)) {
            grantor.step_down();
        }
        let confirmed = reign.and_then(|reign| reign.confirmed);
        grantor.look(clock::boot(), confirmed);
        grantor.term().is_none()
    }

    /// Whether this node holds its lease now.
    pub fn holds(&self) -> bool {
        let own = self.own();
        // Read under the lock: a lease that is renewed meanwhile is no less good for it.
        own.host.holds(clock::boot())
    }

    /// When the lease ends, as it is renewed.
    pub fn ends(&self) -> watch::Receiver<Option<BootMs>> {
        self.ends.subscribe()
    }

    pub fn status(&self) -> LeaseStatus {
        let own = self.own();
        let now = clock::boot();
        LeaseStatus {
            left: own
                .host
                .ends()
                .map_or(Duration::ZERO, |ends| ends.since(now)),
            granted_by: own.granted_by,
            trouble: own.trouble.clone(),
        }
    }

    /// Renews this node's own lease, where nobody else has to be asked: it leads, or is alone.
    pub fn renew_own(&self) {
        let number = self.ask();
        let (_, is_alone) = self.ledger.leader();
        // Asked for by whoever is alone too: what was never heard would be judged.
        let mut said = self.grant(self.node, self.incarnation);
        if is_alone {
            let lease_ms = u64::try_from(LEASE.as_millis()).unwrap_or(0);
            said = Ok(Granted { term: 0, lease_ms });
        }
        self.answered(self.node, number, said);
    }

    /// Whether this node asks for its lease: not while its disk takes no writes.
    pub fn wants_lease(&self) -> bool {
        let is_well = self.ledger.watch_status().borrow().storage == StorageStatus::Ok;
        let mut own = self.own();
        if is_well {
            own.refused_since = None;
            return true;
        }
        let now = clock::boot();
        let since = *own.refused_since.get_or_insert(now);
        let is_over = now.since(since) > DISK_PATIENCE;
        if is_over {
            own.trouble = Some("its disk takes no writes".to_owned());
        }
        !is_over
    }

    /// A renewal is about to be sent: its number.
    pub fn ask(&self) -> u64 {
        self.own().host.ask(clock::boot())
    }

    /// A renewal was answered.
    pub fn answered(&self, by: NodeId, number: u64, said: Result<Granted, Refusal>) {
        let mut own = self.own();
        match said {
            Ok(granted) => {
                own.host
                    .granted(number, Duration::from_millis(granted.lease_ms));
                own.granted_by = Some((by, granted.term));
                own.trouble = None;
            }
            Err(refusal) => own.trouble = Some(format!("node {by}: {refusal}")),
        }
        let ends = own.host.ends();
        drop(own);
        self.ends.send_if_modified(|told| {
            let is_new = *told != ends;
            *told = ends;
            is_new
        });
    }

    /// A renewal could not be asked for.
    pub fn hindered(&self, why: String) {
        self.own().trouble = Some(why);
    }

    /// Grants a host its lease, or says why not.
    pub fn grant(&self, to: NodeId, incarnation: u64) -> Result<Granted, Refusal> {
        let mut grantor = self.grantor();
        let reign = self.ledger.reign();
        let reign = reign.filter(|reign| grantor.term() == Some(reign.term));
        let confirmed = reign.and_then(|reign| reign.confirmed);
        // The state is read under the grantor's lock: so whoever is called down stays refused.
        let known = self.ledger.read(|state| known(state, to));
        let term = grantor.renew(clock::boot(), confirmed, (to, incarnation), known)?;
        let lease_ms = u64::try_from(LEASE.as_millis()).unwrap_or(0);
        Ok(Granted { term, lease_ms })
    }

    pub fn opinions(&self) -> Vec<Opinion> {
        let mut grantor = self.grantor();
        let nodes: BTreeMap<NodeId, Known> = self.ledger.read(|state| {
            let each = |node: &NodeId| Some((*node, known(state, *node)?));
            state.nodes.keys().filter_map(each).collect()
        });
        grantor.opinions(clock::boot(), &nodes, |node| self.lines.link(node))
    }

    pub fn condemn(&self, node: NodeId, incarnation: u64) -> bool {
        self.grantor().condemn(clock::boot(), node, incarnation)
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grantor(&self) -> MutexGuard<'_, Grantor> {
        self.grantor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn known(state: &State, node: NodeId) -> Option<Known> {
    state.nodes.get(&node).map(|node| Known {
        incarnation: node.facts.incarnation,
        health: node.health,
    })
}
