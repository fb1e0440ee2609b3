//! Going on with one node where a majority is gone for ever.
//!
//! # Invariant
//! The node has a new authority and a new cookie before anything else is changed: whoever was in the
//! old cluster, known here or not, cannot be linked with it again.

use std::collections::BTreeSet;

use config::settings::Settings;
use rules::Command;
use rules::beginning::Cause;
use rules::id::NodeId;
use runtime::audit::{begin, checkpoint};
use runtime::ledger::{Ledger, Remains};
use runtime::links::Keys;

use super::enroll::{EnrollError, KEYS};
use super::open_ledger::open_options;
use super::restore::{RestoreError, beside, record};
use super::{identity, identity::Identity};

/// What going on alone means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The cluster.
    pub cluster: String,
    /// The node that goes on.
    pub node: NodeId,
    /// The other voters, who are given up.
    pub others: BTreeSet<NodeId>,
    /// The last entry that is here: whatever was answered after it is lost.
    pub last: u64,
    /// Entries here that were not known to be committed; they are kept.
    pub uncommitted: u64,
    /// Whether it was begun before and broke off: it only has to be ended.
    pub is_begun: bool,
}

/// A folder of which it is known what going on alone with it means; no daemon can use it meanwhile.
pub struct Recoverable {
    /// What it means.
    pub recovery: Recovery,
    name: String,
    settings: Settings,
    _identity: Identity,
}

/// Looks at a folder without changing anything of its ledger.
pub async fn recoverable(settings: Settings) -> Result<Recoverable, RestoreError> {
    identity::check_taken(&settings.node.data)?;
    let identity = identity::take_when_free(&settings.node.data).await?;
    let node = NodeId(identity.node);
    let options = open_options(&settings, node)?;
    let remains: Remains = beside(move || Ok(Ledger::remains(&options)?)).await?;
    let mut others = remains.voters;
    if !others.remove(&node) {
        let why = "this node was no voter: recover on one that was, it knows at least as much";
        return Err(RestoreError::Needless(why.to_owned()));
    }
    if others.is_empty() && !remains.is_begun {
        let why = "this node is the only voter: start it with `domo node run`, nothing is gone";
        return Err(RestoreError::Needless(why.to_owned()));
    }
    let name = remains.name.ok_or_else(|| {
        let why = "this node's state does not know it yet: recover on another one";
        RestoreError::Needless(why.to_owned())
    })?;
    let recovery = Recovery {
        cluster: identity.cluster.clone(),
        node,
        others,
        last: remains.last,
        uncommitted: remains.uncommitted,
        is_begun: remains.is_begun,
    };
    Ok(Recoverable {
        recovery,
        name,
        settings,
        _identity: identity,
    })
}

impl Recoverable {
    /// Goes on alone. What was begun and broke off is done by doing it again.
    pub async fn recover(self, by: String) -> Result<Recovery, RestoreError> {
        let node = self.recovery.node;
        let keys = self.settings.node.data.join(KEYS);
        if keys.is_dir() {
            let keys = Keys::open(&keys).map_err(EnrollError::from)?;
            let keys = keys.found_again().map_err(EnrollError::from)?;
            let audit = self.settings.node.data.join("audit");
            let retired = checkpoint::retire(&audit);
            let vouched = retired.and_then(|()| begin::vouch(&audit, node, &keys));
            vouched.map_err(|error| RestoreError::BrokeOff(error.to_string()))?;
        }
        let options = open_options(&self.settings, node)?;
        {
            let options = options.clone();
            beside(move || Ok(Ledger::seize(&options)?)).await?;
        }
        let command = Command::BeginAgain {
            node,
            name: self.name,
            cause: Cause::Recovered,
            by,
        };
        record(options, command).await?;
        Ok(self.recovery)
    }
}
