//! Breaking personas on purpose: for tests, and for operators who try what their cluster bears.

use ractor::ActorRef;

use crate::tree::{Child, RootMsg};

/// A handle to break the personas of a node with.
#[derive(Clone, Debug)]
pub struct Havoc(pub(crate) ActorRef<RootMsg>);

impl Havoc {
    /// Has a persona panic; one that does not run here is left alone.
    pub fn crash(&self, child: Child) {
        tracing::warn!(?child, "a persona is told to crash");
        // A root that is gone ends the daemon.
        let _ = self.0.cast(RootMsg::Crash(child));
    }

    /// Holds the Manager dead while this node leads, or lets him live again.
    pub fn hold_manager(&self, is_held: bool) {
        let _ = self.0.cast(RootMsg::HoldManager(is_held));
    }
}
