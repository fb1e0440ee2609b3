//! A leader answers the hosts that renew their leases with it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rules::id::NodeId;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::Line;
use super::thread::{Came, Shared};
use super::words::{ANSWER, Answer, RENEWAL, Renewal, hear, say};

/// A host that says nothing for so long has left; twenty renewals.
const IDLE_LIMIT: Duration = Duration::from_secs(10);

/// Serves every host, each over its latest connection.
pub(super) async fn serve(shared: Arc<Shared>, mut came: mpsc::Receiver<Came>) {
    let mut serving: BTreeMap<NodeId, AbortHandle> = BTreeMap::new();
    while let Some((from, line)) = came.recv().await {
        serving.retain(|_, task| !task.is_finished());
        let shared = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            if let Err(error) = answer(&shared, from, line).await {
                tracing::debug!(%from, %error, "a host's connection for its lease has ended");
            }
        });
        if let Some(before) = serving.insert(from, task.abort_handle()) {
            before.abort();
        }
    }
}

async fn answer(shared: &Shared, from: NodeId, mut line: Box<dyn Line>) -> io::Result<()> {
    loop {
        let asked: Renewal = timeout(IDLE_LIMIT, hear(&mut line, RENEWAL)).await??;
        let said = shared.grant(from, asked.incarnation);
        let answer = Answer {
            number: asked.number,
            said,
        };
        say(&mut line, ANSWER, &answer).await?;
    }
}
