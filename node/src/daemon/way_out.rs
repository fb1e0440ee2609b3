//! The node's gateway, as its settings want it.

use std::time::Duration;

use config::settings::Settings;
use rules::id::NodeId;
use runtime::gateway::{Bounds, Gateway, GatewayOptions, SecretError};
use runtime::lease::Leases;
use runtime::ledger::Ledger;

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
