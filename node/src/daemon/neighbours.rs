//! This node among others: whom it is linked with, what it answers them, and whom it lets in.
//!
//! # Invariant
//! Who is in the cluster is read off the state; what a node knew when it joined only helps it to
//! find the others until it has the state. A call is answered as its sender's: which node that is
//! its certificate says, not the call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use config::settings::Settings;
use rules::id::NodeId;
use rules::{Command, Outcome, Principal, Proposal, State, Who};
use runtime::blob::Blobs;
use runtime::blob::carrier::{self, Carrier};
use runtime::clock::{self, WallMs};
use runtime::lease::{LeaseOptions, Leases, Lines, NoLines};
use runtime::ledger::{Ledger, Links, NoLinks};
use runtime::links::{
    Admitted, Admitting, Answerer, Answering, ClusterName, Fingerprint, Gate, Incoming,
    JoinRequest, Keys, LinkOptions, Linked, Purpose, RENEWAL_EVERY,
};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use super::DaemonError;
use super::enroll::KEYS;
use super::identity::{Home, Identity};
use crate::admin::LinksSeen;

/// How often at most the links are compared with the nodes of the state.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often it is told who was refused.
const REFUSED_EVERY: Duration = Duration::from_secs(2);
/// Streams of other nodes that are served at once: some for each of a large cluster.
const MAX_STREAMS: usize = 256;
/// How far a newcomer's clock may be off: certificates and tokens allow for far more, people who
/// read two hosts' logs side by side do not.
const CLOCK_TOLERANCE_MS: u64 = 60_000;

/// The nodes around this one; none around a cluster of one without links.
pub(super) struct Around {
    linked: Option<Linked>,
    keys: Option<Arc<Keys>>,
    incoming: Option<Incoming>,
    serving: JoinSet<()>,
}

impl Around {
    /// Opens the links of a node that has a home.
    pub(super) async fn open(
        settings: &Settings,
        identity: &Identity,
    ) -> Result<Self, DaemonError> {
        let (mut linked, mut own, mut incoming) = (None, None, None);
        if let Some(home) = &identity.home {
            let keys = Arc::new(Keys::open(&settings.node.data.join(KEYS))?);
            own = Some(Arc::clone(&keys));
            let opened = Linked::open(LinkOptions {
                node: NodeId(identity.node),
                incarnation: identity.incarnation,
                cluster: ClusterName::new(&identity.cluster)?,
                keys,
                listen: home.listen,
                seeds: settings.cluster.seeds.clone(),
                release: env!("CARGO_PKG_VERSION").to_owned(),
                renewal_every: RENEWAL_EVERY,
            });
            let (links, came) = opened.await?;
            links.know(known_at_first(home));
            (linked, incoming) = (Some(links), Some(came));
        }
        Ok(Self {
            linked,
            keys: own,
            incoming,
            serving: JoinSet::new(),
        })
    }

    /// What this node proves itself with; none without links.
    pub(super) fn keys(&self) -> Option<Arc<Keys>> {
        self.keys.clone()
    }

    /// What carries the ledger's calls.
    pub(super) fn links(&self) -> Arc<dyn Links> {
        match &self.linked {
            Some(linked) => Arc::new(linked.clone()),
            None => Arc::new(NoLinks),
        }
    }

    /// Begins to renew this node's lease, and to grant the others theirs where it leads.
    pub(super) fn lease(
        &self,
        ledger: &Ledger,
        identity: &Identity,
    ) -> Result<Leases, DaemonError> {
        let lines: Arc<dyn Lines> = match &self.linked {
            Some(linked) => Arc::new(linked.clone()),
            None => Arc::new(NoLines),
        };
        let options = LeaseOptions {
            node: NodeId(identity.node),
            incarnation: identity.incarnation,
            ledger: ledger.clone(),
            lines,
        };
        Leases::start(options).map_err(DaemonError::NoThread)
    }

    /// What newcomers tell the cluster by, and where they may ask.
    pub(super) fn entrance(&self, identity: &Identity) -> Option<(Fingerprint, String)> {
        let (linked, home) = (self.linked.as_ref()?, identity.home.as_ref()?);
        Some((linked.fingerprint(), home.advertise.clone()))
    }

    /// How the links with the others do.
    pub(super) fn seen(&self) -> Option<LinksSeen> {
        self.linked.as_ref().map(Linked::status)
    }

    /// Begins to serve the others, and to follow who they are.
    pub(super) fn serve(
        &mut self,
        ledger: &Ledger,
        blobs: &Blobs,
        leases: &Leases,
        identity: &Identity,
    ) {
        let (Some(linked), Some(home)) = (&self.linked, &identity.home) else {
            return;
        };
        let node = NodeId(identity.node);
        let carrier = Carrier {
            blobs: blobs.clone(),
            linked: linked.clone(),
        };
        blobs.join(node, Box::new(carrier));
        ledger.carry(blobs.clone());
        linked.answer_with(Arc::new(Answers(ledger.clone())));
        linked.admit_with(Arc::new(Doorkeeper {
            node,
            ledger: ledger.clone(),
        }));
        let (linked, ledger, home) = (linked.clone(), ledger.clone(), home.clone());
        self.serving
            .spawn(tell_refused(linked.clone(), ledger.clone()));
        self.serving.spawn(follow(linked, ledger, home));
        if let Some(incoming) = self.incoming.take() {
            self.serving
                .spawn(take_in(incoming, blobs.clone(), leases.clone()));
        }
    }

    /// Serves the others no more.
    pub(super) fn serve_no_more(&mut self) {
        self.serving.abort_all();
    }

    /// Ends the links.
    pub(super) async fn close(self) {
        if let Some(linked) = self.linked {
            linked.close().await;
        }
    }
}

fn known_at_first(home: &Home) -> BTreeMap<NodeId, String> {
    let peers = home.peers.iter();
    peers
        .map(|(node, address)| (NodeId(*node), address.clone()))
        .collect()
}

/// Serves the streams that other nodes open.
async fn take_in(mut incoming: Incoming, blobs: Blobs, leases: Leases) {
    let mut streams = JoinSet::new();
    while let Some((peer, purpose, stream)) = incoming.next().await {
        while streams.try_join_next().is_some() {}
        if streams.len() >= MAX_STREAMS {
            tracing::warn!(%peer, ?purpose, limit = MAX_STREAMS, "too many streams of other nodes");
            continue;
        }
        match purpose {
            Purpose::Blobs => {
                let blobs = blobs.clone();
                streams.spawn(async move {
                    if let Err(error) = carrier::serve(&blobs, stream).await {
                        tracing::debug!(%peer, %error, "a stream of blobs broke off");
                    }
                });
            }
            Purpose::Lease => leases.take(peer, Box::new(stream)),
            Purpose::Http => {
                tracing::debug!(%peer, ?purpose, "nobody serves this here");
            }
        }
    }
}

/// Has the ledger note who was refused at this node's port, and why.
async fn tell_refused(linked: Linked, ledger: Ledger) {
    loop {
        tokio::time::sleep(REFUSED_EVERY).await;
        for ((host, why), count) in linked.refused_hosts() {
            ledger.note_intruder(format!("{host} ({why})"), count);
        }
    }
}

/// Keeps the links as the state wants them.
async fn follow(linked: Linked, ledger: Ledger, home: Home) {
    let mut applied = ledger.applied();
    let mut before: Option<(BTreeMap<NodeId, String>, BTreeSet<NodeId>)> = None;
    loop {
        applied.borrow_and_update();
        let now = ledger.read(|state| (addresses(state), state.removed.clone()));
        if before.as_ref() != Some(&now) {
            let (mut peers, removed) = now.clone();
            if peers.is_empty() {
                peers = known_at_first(&home);
            }
            linked.know(peers);
            linked.refuse(removed);
            before = Some(now);
        }
        tokio::time::sleep(LOOK_EVERY).await;
        if applied.changed().await.is_err() {
            return;
        }
    }
}

/// Where the nodes are.
fn addresses(state: &State) -> BTreeMap<NodeId, String> {
    let nodes = state.nodes.iter();
    nodes
        .filter_map(|(id, node)| Some((*id, node.facts.address.clone()?)))
        .collect()
}

/// Answers what other nodes' ledgers ask.
struct Answers(Ledger);

impl Answerer for Answers {
    fn answer(&self, from: NodeId, call: Vec<u8>) -> Answering {
        let ledger = self.0.clone();
        Box::pin(async move { ledger.answer(from, &call).await })
    }
}

/// Lets newcomers in whom the rules let in.
struct Doorkeeper {
    node: NodeId,
    ledger: Ledger,
}

impl Gate for Doorkeeper {
    fn admit(&self, request: JoinRequest) -> Admitting<'_> {
        Box::pin(async move {
            check_clock(request.wall_ms, clock::wall())?;
            let command = Command::AdmitNode {
                hash: request.secret_hash,
                name: request.name,
                key: Sha256::digest(request.public_key.as_bytes()).into(),
            };
            let proposal = Proposal {
                request: None,
                principal: Principal::own(Who::Node(self.node)),
                wall_ms: clock::wall().0,
                command,
                decision: None,
            };
            let verdict = self.ledger.propose(proposal).await;
            let verdict = verdict.map_err(|error| error.to_string())?;
            match verdict.map_err(|rejection| rejection.to_string())? {
                Outcome::Admitted(node) => Ok(Admitted {
                    node,
                    peers: self.ledger.read(addresses),
                }),
                other @ (Outcome::Done
                | Outcome::Opened(_)
                | Outcome::PlanRefused(_)
                | Outcome::Effect(_)
                | Outcome::Posted { .. }
                | Outcome::Applied { .. }) => Err(format!("the ledger answered {other:?}")),
            }
        })
    }
}

fn check_clock(theirs: WallMs, ours: WallMs) -> Result<(), String> {
    let off_ms = theirs.0.abs_diff(ours.0);
    if off_ms <= CLOCK_TOLERANCE_MS {
        return Ok(());
    }
    let way = if theirs.0 > ours.0 {
        "ahead of"
    } else {
        "behind"
    };
    Err(format!(
        "its clock is {} s {way} the cluster's; set it, then join",
        off_ms / 1000
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_whose_clock_is_wrong_is_told_by_how_much() {
        let ours = WallMs(10_000_000);
        assert_eq!(check_clock(WallMs(10_030_000), ours), Ok(()));
        let refused = check_clock(WallMs(6_400_000), ours).unwrap_err();
        assert!(
            refused.starts_with("its clock is 3600 s behind"),
            "{refused}"
        );
    }
}
