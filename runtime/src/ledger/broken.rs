//! The end of consensus on this node, which nothing mends while the process lives.
//!
//! # Why
//! Consensus stops for good when its storage fails it. A node that went on without would keep its
//! lease and its duties, and do none of them: its end is noticed, and a service manager begins anew.

use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::error::Fatal;

use super::Ledger;

impl Ledger {
    /// Returns once consensus has broken off, with the reason; being closed is no breaking off.
    pub async fn broken(&self) -> String {
        let raft = self.0.door.raft();
        // These change with the leader, not with each entry, and break off with consensus.
        let mut metrics = raft.server_metrics();
        while metrics.changed().await.is_ok() {}
        let state = raft.metrics().borrow_watched().running_state.clone();
        match state {
            Ok(()) => "it is gone".to_owned(),
            Err(Fatal::Stopped) => std::future::pending().await,
            Err(fatal) => fatal.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use rules::id::NodeId;
    use rules::{Command, Principal, Proposal, Who};

    use crate::ledger::{Ledger, OpenOptions};
    use crate::policy::Policies;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn consensus_whose_store_is_gone_breaks_off_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let schema = include_str!("../../../config/policy/matrix.cedarschema");
        let matrix = include_str!("../../../config/policy/matrix.cedar");
        let mut options = OpenOptions::new(dir.path().join("ledger"), NodeId(1));
        options.judge = Arc::new(Policies::new(schema, matrix).unwrap());
        let (ledger, _changes) = Ledger::open(options).await.unwrap();
        ledger.init_single().await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(50), ledger.broken()).await;
        assert!(early.is_err(), "nothing is broken yet");
        let store = ledger.0.store.clone();
        tokio::task::spawn_blocking(move || store.close())
            .await
            .unwrap();
        // What is proposed is written down before anything else.
        let tick = Proposal {
            request: None,
            principal: Principal::own(Who::Ledger),
            wall_ms: 0,
            command: Command::Tick,
            decision: None,
        };
        let told = ledger.propose(tick).await;
        assert!(told.is_err(), "{told:?}");
        let why = tokio::time::timeout(Duration::from_secs(30), ledger.broken()).await;
        assert!(why.unwrap().contains("closed"));
    }
}
