//! What every route leans on: the ledger, the blobs, this node's own knowledge, and the limits.

use std::sync::Arc;

use config::settings::AgentSettings;
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;
use rules::id::{BlobRef, NodeId, TeamName};
use rules::right::{Demand, Right};
use rules::{State, demand};
use runtime::accounts::Accounts;
use runtime::blob::Blobs;
use runtime::clock::{self, WallMs};
use runtime::gateway::Gateway;
use runtime::ledger::{Ledger, ProposeError};
use runtime::links::Fingerprint;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::LinksSeen;
use super::chaos::Chaos;
use super::convert::asked::sha256;
use super::convert::document::FindBlob;
use super::here::Here;
use super::limits::DoorLimits;
use super::people::Asker;
use super::refused::{Answered, Refused};
use super::reign::Reign;
use super::status_board::Board;
use super::troubles::Troubles;
use super::wire::{Code, Consistency, Freshness};

/// Bytes that one unit of the room for bodies stands for.
pub(super) const ROOM_UNIT_BYTES: u64 = 1 << 10;

/// What every route leans on.
pub(super) struct Desk {
    pub(super) node: NodeId,
    pub(super) cluster: String,
    pub(super) ledger: Ledger,
    pub(super) blobs: Blobs,
    pub(super) gateway: Gateway,
    /// Where people get accounts outside of the cluster.
    pub(super) accounts: Arc<dyn Accounts>,
    pub(super) here: Arc<dyn Here>,
    pub(super) agents: AgentSettings,
    /// What newcomers tell this cluster by, and where they may ask; none where there are no links.
    pub(super) entrance: Option<(Fingerprint, String)>,
    pub(super) links: Option<LinksSeen>,
    pub(super) limits: DoorLimits,
    pub(super) started: WallMs,
    pub(super) streams: Arc<Semaphore>,
    pub(super) uploads: Arc<Semaphore>,
    pub(super) bodies: Arc<Semaphore>,
    pub(super) troubles: Troubles,
    pub(super) board: Board,
    pub(super) reign: watch::Receiver<Reign>,
    /// How the node is broken on purpose, where that is allowed.
    pub(super) chaos: Option<Chaos>,
    /// Becomes true when the daemon stops: streams end then.
    pub(super) stop: watch::Receiver<bool>,
}

/// The desk as the routes share it.
pub(super) type Shared = Arc<Desk>;

impl Desk {
    /// A place among the open streams.
    pub(super) fn stream(&self) -> Answered<OwnedSemaphorePermit> {
        self.place(&self.streams, "streams", self.limits.streams)
    }

    /// A place among the uploads.
    pub(super) fn upload(&self) -> Answered<OwnedSemaphorePermit> {
        self.place(&self.uploads, "uploads", self.limits.uploads)
    }

    fn place(
        &self,
        room: &Arc<Semaphore>,
        name: &str,
        limit: usize,
    ) -> Answered<OwnedSemaphorePermit> {
        Arc::clone(room).try_acquire_owned().map_err(|_| {
            let refused = Refused::full(name, limit as u64);
            self.troubles.saw(name, &refused.0.message);
            refused
        })
    }

    /// Room for so many more bytes of a body.
    pub(super) fn body_room(&self, bytes: u64) -> Answered<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(ROOM_UNIT_BYTES)).unwrap_or(u32::MAX);
        Arc::clone(&self.bodies)
            .try_acquire_many_owned(units)
            .map_err(|_| {
                let refused = Refused::full("bodies_bytes", self.limits.bodies_bytes);
                self.troubles.saw("bodies_bytes", &refused.0.message);
                refused
            })
    }

    /// Makes sure that an answer is as fresh as it must be, and says how fresh it is.
    pub(super) async fn fresh(&self, consistency: Consistency) -> Answered<Freshness> {
        let is_linearizable = consistency == Consistency::Linearizable;
        if is_linearizable {
            let caught_up = tokio::time::timeout(self.limits.request, self.ledger.linearize());
            match caught_up.await {
                Ok(Ok(())) => {}
                Ok(Err(ProposeError::Unknown)) | Err(_) => {
                    let refused = Refused::new(Code::TimedOut, "no quorum answered in time");
                    return Err(refused.hint("ask with consistency=local for what this node knows"));
                }
                Ok(Err(error)) => {
                    let refused = Refused::from(error);
                    return Err(refused.hint("ask with consistency=local for what this node knows"));
                }
            }
        }
        Ok(self.freshness(is_linearizable))
    }

    /// What this node is called.
    pub(super) fn own_name(&self) -> String {
        let known = self.ledger.read(|state| {
            let node = state.nodes.get(&self.node)?;
            Some(node.facts.name.clone())
        });
        known.unwrap_or_else(|| self.node.to_string())
    }

    /// How fresh an answer of this node is.
    pub(super) fn freshness(&self, is_linearizable: bool) -> Freshness {
        Freshness {
            applied_index: *self.ledger.applied().borrow(),
            age_ms: if is_linearizable { 0 } else { self.age_ms() },
            is_linearizable,
        }
    }

    /// How long ago this node last knew that it was up to date.
    pub(super) fn age_ms(&self) -> u64 {
        let since = self.reign.borrow().without_leader_since;
        since.map_or(0, |since| {
            u64::try_from(clock::boot().since(since).as_millis()).unwrap_or(u64::MAX)
        })
    }
}

impl Desk {
    /// The blob of a digest, or a sentence about its absence.
    pub(super) fn blob(&self, text: &str) -> Result<BlobRef, String> {
        let Some(sha256) = sha256(text) else {
            return Err(format!("{} is no SHA-256", config::mistake::shown(text)));
        };
        let mut blob = BlobRef { sha256, bytes: 0 };
        let found = std::fs::metadata(self.blobs.path(&blob));
        let found = found.map_err(|_| format!("blob {blob} is not here: upload it first"))?;
        blob.bytes = found.len();
        Ok(blob)
    }
}

impl Desk {
    /// Refuses whoever lacks a right.
    pub(super) fn demand(&self, asker: &Asker, demand: Demand) -> Answered<()> {
        let allowed = self.ledger.allows(&asker.principal(), vec![demand]);
        allowed.map_err(|rejection| Refused::from(&rejection))
    }

    /// Whether somebody may read what belongs to a team, or to none.
    pub(super) fn sees(&self, state: &State, asker: &Asker, team: Option<&TeamName>) -> bool {
        let right = Right::ReadTeam;
        let demand = team.map_or_else(
            || demand::cluster(right),
            |team| demand::in_team(right, team),
        );
        self.ledger.may(state, &asker.principal(), demand)
    }
}

impl FindBlob for Desk {
    /// Finds a blob that was uploaded, and makes it young again: a command is about to name it.
    fn find(&self, text: &str) -> Result<BlobRef, String> {
        let blob = self.blob(text)?;
        let path = self.blobs.path(&blob);
        let now = TimeSpec::UTIME_NOW;
        let here = nix::fcntl::AT_FDCWD;
        if let Err(error) = utimensat(here, &path, &now, &now, UtimensatFlags::NoFollowSymlink) {
            tracing::warn!(%error, %blob, "a blob cannot be kept young");
        }
        Ok(blob)
    }
}
