//! The node that a daemon is: its own data folder, taken into use at the start.

use config::settings::Settings;

use super::identity::{Identity, IdentityError, take_when_free};

/// Takes the node's own data folder into use, for as long as its daemon runs. What a chaos run has left
/// is taken off first: it may be in the way.
pub(super) async fn own(settings: &Settings) -> Result<Identity, IdentityError> {
    let mut identity = take_when_free(&settings.node.data).await?;
    crate::chaos::mend(&settings.node.data).await;
    identity.moved_to(&settings.cluster);
    Ok(identity)
}
