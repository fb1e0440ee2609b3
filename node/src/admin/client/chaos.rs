//! Faults that are made on purpose, on the node that is asked.

use hyper::Method;

use super::path::{NoQuery, path};
use super::{Asked, Client, ClientError};
use crate::admin::wire::{
    BeginChaos, ChaosView, CrashPersona, Done, EndChaos, HoldManager, SetClock,
};

impl Client {
    /// Has a persona panic: `manager`, `janitor`, `butler TEAM` or `worker TEAM/NAME`. Done twice, it
    /// is done again.
    pub async fn crash(&self, persona: &str) -> Result<(), ClientError> {
        let persona = persona.to_owned();
        let path = path(&["chaos", "crash"], &NoQuery);
        let asked = Asked::new(Method::POST, path).json(&CrashPersona { persona })?;
        self.connections.bytes(&asked).await.map(drop)
    }

    /// Holds the Manager dead while that node leads, or lets him live again.
    pub async fn hold_manager(&self, is_held: bool) -> Result<(), ClientError> {
        let path = path(&["chaos", "manager"], &NoQuery);
        let asked = Asked::new(Method::POST, path).json(&HoldManager { is_held })?;
        self.connections.bytes(&asked).await.map(drop)
    }

    /// Has the node take its clock for so many seconds later than it shows.
    pub async fn set_clock(&self, ahead_s: i32) -> Result<(), ClientError> {
        let path = path(&["chaos", "clock"], &NoQuery);
        let asked = Asked::new(Method::POST, path).json(&SetClock { ahead_s })?;
        self.connections.bytes(&asked).await.map(drop)
    }

    /// What can be broken on the node, and the cluster's run.
    pub async fn chaos(&self) -> Result<ChaosView, ClientError> {
        self.get(path(&["chaos"], &NoQuery)).await
    }

    /// Begins a run.
    pub async fn begin_chaos(
        &self,
        plan: &BeginChaos,
        request_id: &str,
    ) -> Result<Done, ClientError> {
        self.change(path(&["chaos"], &NoQuery), plan, request_id)
            .await
    }

    /// Ends a run; said again of one that is ending, it is gone.
    pub async fn end_chaos(&self, run: u64, request_id: &str) -> Result<Done, ClientError> {
        let path = path(&["chaos", "runs", &run.to_string(), "end"], &NoQuery);
        self.change(path, &EndChaos {}, request_id).await
    }
}
