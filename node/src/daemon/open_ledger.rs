//! How a node's ledger is opened: as its settings say, with the permission matrix to judge by.

use std::sync::Arc;

use config::settings::{Settings, StoreChoice};
use rules::id::NodeId;
use runtime::ledger::{Changes, Ledger, Links, OpenOptions, StoreKind};
use runtime::policy::{BadMatrix, Policies};

use super::identity::Identity;
use super::{DaemonError, LEADER_WAIT};

/// How the ledger of a node with these settings is opened.
pub(super) fn open_options(settings: &Settings, node: NodeId) -> Result<OpenOptions, BadMatrix> {
    let mut options = OpenOptions::new(settings.node.data.join("ledger"), node);
    options.audit = settings.node.data.join("audit");
    options.store = match settings.ledger.store {
        StoreChoice::Sled => StoreKind::Sled,
        StoreChoice::Redb => StoreKind::Redb,
    };
    let judge = Policies::new(config::policy::SCHEMA, config::policy::MATRIX)?;
    options.judge = Arc::new(judge);
    options.heartbeat_ms = settings.ledger.heartbeat_ms;
    options.election_ms = settings.ledger.election_min_ms..settings.ledger.election_max_ms;
    options.snapshot_every = settings.ledger.snapshot_every;
    options.limits.in_flight = settings.limits.proposals_in_flight;
    options.limits.archived_cases = settings.limits.archived_cases as u64;
    let archived_ms = settings.limits.archived_ms;
    options.limits.archived_ms = (archived_ms > 0).then_some(archived_ms);
    Ok(options)
}

pub(super) async fn open_ledger(
    settings: &Settings,
    identity: &Identity,
    links: Arc<dyn Links>,
) -> Result<(Ledger, Changes), DaemonError> {
    let options = open_options(settings, NodeId(identity.node))?;
    let (ledger, changes) = Ledger::open_linked(options, links).await?;
    if identity.home.as_ref().is_none_or(|home| home.is_founder) {
        ledger.init_single().await?;
    }
    if identity.home.is_some() {
        return Ok((ledger, changes));
    }
    let mut status = ledger.watch_status();
    let elected = status.wait_for(|status| status.is_leader);
    match tokio::time::timeout(LEADER_WAIT, elected).await {
        Ok(Ok(_)) => {}
        Ok(Err(_)) | Err(_) => return Err(DaemonError::NoLeader),
    }
    Ok((ledger, changes))
}
