//! Taking a node's agents away for good, while no daemon runs on its folder.
//!
//! # Why
//! Agents outlive the daemon, so whoever removes a data folder must end them first: what runs in a
//! folder that is gone is found by nobody.

use config::settings::Settings;

use super::{DaemonError, Mode, identity, open_engine};

/// Ends every agent that a node with these settings has left, and removes its container; answers how
/// many there were. The node's daemon must not run.
pub async fn clear(settings: &Settings, mode: &Mode) -> Result<usize, DaemonError> {
    let identity = identity::take(&settings.node.data)?;
    let engine = open_engine(settings, mode, &identity).await?.engine;
    let found = engine.list().await?;
    for found in &found {
        engine.remove(&found.id).await?;
    }
    Ok(found.len())
}
