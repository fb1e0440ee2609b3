//! The nodes of this host that a run speaks to: another one is turned to when one does not answer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::RngExt as _;
use runtime::clock::{self, BootMs, Deadline};
use tokio::time::{sleep, timeout};

use crate::admin::client::{Client, ClientError};
use crate::admin::wire::Code;

/// How long one node may take: an answer of one that is well comes in far less.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);
/// Rest between two tries.
const REST: Duration = Duration::from_millis(25);

/// The nodes to turn to; clones are the same ones.
#[derive(Clone, Debug)]
pub(super) struct Doors {
    clients: Arc<[Client]>,
    /// The one that answered last.
    at: Arc<AtomicUsize>,
}

/// Makes request ids while nobody can be asked for the ledger's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    clock_ms: u64,
    seen: BootMs,
}

impl Stamp {
    /// A new request id.
    pub(super) fn request_id(self) -> String {
        let since_ms = clock::boot().since(self.seen).as_millis();
        let word: u128 = rand::rng().random();
        format!("{word:032x}@{}", u128::from(self.clock_ms) + since_ms)
    }
}

impl Doors {
    /// The node that is asked, and further ones.
    pub(super) fn new(first: Client, also: Vec<Client>) -> Self {
        Self {
            clients: std::iter::once(first).chain(also).collect(),
            at: Arc::default(),
        }
    }

    /// The node that is asked.
    pub(super) fn first(&self) -> &Client {
        &self.clients[0]
    }

    /// Where their data usually is: beside their sockets.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        let clients = self.clients.iter();
        clients.filter_map(|client| client.socket().parent())
    }

    /// Where the ledger's time is.
    pub(super) async fn stamp(&self) -> Result<Stamp, ClientError> {
        let clock_ms = self.first().clock().await?.clock_ms;
        Ok(Stamp {
            clock_ms,
            seen: clock::boot(),
        })
    }

    /// Asks one after the other until one answers or refuses, or the time is over.
    pub(super) async fn ask<T>(
        &self,
        limit: Duration,
        ask: impl AsyncFn(&Client) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let deadline = Deadline::after(limit);
        loop {
            let at = self.at.load(Ordering::Relaxed) % self.clients.len();
            let error = match timeout(ANSWER_LIMIT, ask(&self.clients[at])).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if !is_passing(&error) => return Err(error),
                Ok(Err(error)) => error,
                Err(_) => ClientError::Unknown {
                    request_id: None,
                    why: format!("no answer within {} s", ANSWER_LIMIT.as_secs()),
                },
            };
            if deadline.is_over() {
                return Err(error);
            }
            // Whoever else has found a better one meanwhile is not sent back.
            let _ = self.at.compare_exchange(
                at,
                (at + 1) % self.clients.len(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            sleep(REST).await;
        }
    }
}

/// Whether another node, or the same a little later, may answer otherwise.
fn is_passing(error: &ClientError) -> bool {
    match error {
        ClientError::NoDaemon { .. } | ClientError::Unknown { .. } => true,
        ClientError::Refused { refusal } => matches!(
            refusal.error.code,
            Code::NoLeader
                | Code::Full
                | Code::Stopping
                | Code::OutcomeUnknown
                | Code::TimedOut
                | Code::DiskFull
                | Code::ReadOnly
        ),
        ClientError::NotUnderstood { .. } | ClientError::CannotRead { .. } => false,
    }
}
