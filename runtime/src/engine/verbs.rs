//! The engines as the rest of the daemon sees them: each verb, and who does it.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::broadcast;

use super::containers::ContainerEngine;
use super::process::ProcessEngine;
use super::{
    BoxEvent, BoxId, BoxSpec, BoxState, Description, Engine, EngineError, FoundBox, FrozenBoxes,
};
use crate::clock::Deadline;
use crate::spool::AttemptName;

/// Every verb of an engine, in terms of what the engine can do.
macro_rules! verbs {
    ($engine:ty) => {
        impl Engine for $engine {
            fn probe(&self) -> BoxFuture<'_, Result<Description, EngineError>> {
                Box::pin(self.describe())
            }

            fn ensure<'a>(
                &'a self,
                spec: &'a BoxSpec,
            ) -> BoxFuture<'a, Result<BoxState, EngineError>> {
                Box::pin(self.ensure_now(spec))
            }

            fn stop<'a>(
                &'a self,
                id: &'a BoxId,
                grace: Duration,
            ) -> BoxFuture<'a, Result<(), EngineError>> {
                Box::pin(async move {
                    self.still.kill_frozen(id).await?;
                    self.stop_now(id, grace).await
                })
            }

            fn remove<'a>(&'a self, id: &'a BoxId) -> BoxFuture<'a, Result<(), EngineError>> {
                Box::pin(async move {
                    self.still.kill_frozen(id).await?;
                    self.remove_now(id).await
                })
            }

            fn find<'a>(
                &'a self,
                id: &'a BoxId,
            ) -> BoxFuture<'a, Result<Option<FoundBox>, EngineError>> {
                Box::pin(self.found_box(id))
            }

            fn list(&self) -> BoxFuture<'_, Result<Vec<FoundBox>, EngineError>> {
                Box::pin(self.found_boxes())
            }

            fn events(&self) -> broadcast::Receiver<BoxEvent> {
                self.events.subscribe()
            }

            fn freeze_all(
                &self,
                until: Deadline,
            ) -> BoxFuture<'_, Result<FrozenBoxes, EngineError>> {
                Box::pin(self.still.freeze_all(until))
            }

            fn thaw<'a>(
                &'a self,
                id: &'a BoxId,
                but: &'a [AttemptName],
            ) -> BoxFuture<'a, Result<(), EngineError>> {
                Box::pin(self.still.thaw(id, but))
            }

            fn frozen(&self) -> BoxFuture<'_, Result<Vec<FoundBox>, EngineError>> {
                Box::pin(self.still.frozen())
            }
        }
    };
}

verbs!(ContainerEngine);
verbs!(ProcessEngine);
