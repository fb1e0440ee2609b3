//! `[chaos]`: whether this node may be broken on purpose.

use super::keys::Keys;

/// The settings of `[chaos]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChaosSettings {
    /// Whether its personas may be crashed and held dead through the admin socket.
    pub is_allowed: bool,
}

impl ChaosSettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        Self {
            is_allowed: keys.flag("chaos.allowed"),
        }
    }
}
