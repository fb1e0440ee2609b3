//! The gateway of a node whose agents go nowhere.

use std::path::Path;
use std::sync::Arc;

use runtime::gateway::{Bounds, Gateway, GatewayOptions};
use runtime::lease::{LeaseOptions, Leases, NoLines};
use runtime::ledger::Ledger;

use super::house::NODE;

/// A gateway that lets nothing through: nobody guards the node's lease.
pub fn gateway(ledger: &Ledger, data: &Path) -> Gateway {
    let leases = Leases::start(LeaseOptions {
        node: NODE,
        incarnation: 1,
        ledger: ledger.clone(),
        lines: Arc::new(NoLines),
    });
    let options = GatewayOptions {
        node: NODE,
        ledger: ledger.clone(),
        leases: leases.unwrap(),
        data: data.to_owned(),
        authorities: None,
        bounds: Bounds::default(),
    };
    Gateway::open(options).unwrap()
}
