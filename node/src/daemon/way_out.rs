//! The node's gateway, as its settings want it, and what the cluster is told of it.
//!
//! # Why
//! What is told is compared with what the state says, again and again, so that it comes to be so
//! whichever word of it was lost or came late.

use std::time::Duration;

use config::settings::Settings;
use rules::id::NodeId;
use rules::target::WayOut;
use rules::{Command, Principal, Proposal, Who, version};
use runtime::clock;
use runtime::engine::Confinement;
use runtime::gateway::{Bounds, Gateway, GatewayOptions, SecretError};
use runtime::lease::Leases;
use runtime::ledger::{Ledger, ProposeError};

use super::identity::Identity;

/// How often it is looked whether the cluster knows it: a version that rises, a start that is over.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Opens the gateway; it lets nothing through before it knows how the node stands.
pub(super) fn open(
    settings: &Settings,
    node: NodeId,
    ledger: &Ledger,
    leases: &Leases,
) -> Result<Gateway, SecretError> {
    let wanted = &settings.gateway;
    Gateway::open(GatewayOptions {
        node,
        ledger: ledger.clone(),
        leases: leases.clone(),
        data: settings.node.data.clone(),
        authorities: wanted.authorities.clone(),
        bounds: Bounds {
            connections_per_attempt: wanted.connections_per_attempt,
            body_bytes: wanted.body_bytes,
            bodies_bytes: wanted.bodies_bytes,
            head_limit: Duration::from_millis(wanted.head_ms),
            connect_limit: Duration::from_millis(wanted.connect_ms),
            answer_limit: Duration::from_millis(wanted.answer_ms),
            standstill: Duration::from_millis(wanted.standstill_ms),
        },
    })
}

/// Tells the cluster which secrets the node has, at once whenever that changes, until the ledger is
/// stopped. What keeps its agents from those secrets is known from its start on.
pub(super) fn tell(ledger: &Ledger, gateway: &Gateway, identity: &Identity, agents: Confinement) {
    let (ledger, mut secrets) = (ledger.clone(), gateway.secrets().watch());
    let (node, incarnation) = (NodeId(identity.node), identity.incarnation);
    tokio::spawn(async move {
        loop {
            let way_out = WayOut {
                secrets: secrets.borrow_and_update().keys().cloned().collect(),
                is_confined: agents != Confinement::Nothing,
            };
            let is_untold = ledger.read(|state| {
                let known = state.nodes.get(&node);
                let known = known.filter(|known| known.facts.incarnation == incarnation);
                state.version >= version::WAYS_OUT
                    && known.is_some_and(|known| known.way_out.as_ref() != Some(&way_out))
            });
            if is_untold {
                let told = say(&ledger, node, incarnation, way_out).await;
                if told == Err(ProposeError::Stopped) {
                    return;
                }
            }
            match tokio::time::timeout(LOOK_EVERY, secrets.changed()).await {
                Ok(Ok(())) | Err(_) => {}
                Ok(Err(_)) => return,
            }
        }
    });
}

async fn say(
    ledger: &Ledger,
    node: NodeId,
    incarnation: u64,
    way_out: WayOut,
) -> Result<(), ProposeError> {
    let proposal = Proposal {
        request: None,
        principal: Principal::own(Who::Node(node)),
        wall_ms: clock::wall().0,
        command: Command::TellWayOut {
            node,
            incarnation,
            way_out,
        },
        decision: None,
    };
    match ledger.propose(proposal).await? {
        Ok(_) => tracing::info!("the cluster knows which secrets this node has"),
        Err(rejection) => tracing::warn!(%rejection, "it is not known which secrets this node has"),
    }
    Ok(())
}
