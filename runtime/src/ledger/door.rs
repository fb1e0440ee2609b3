//! The door: where proposals come in, are bounded, get their time, and are refused early.
//!
//! # Invariant
//! What is refused here did not happen and will not. What went through may happen even when its
//! outcome is not known in time.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::error::{ClientWriteError, RaftError};
use rules::audit::SALT_BYTES;
use rules::id::NodeId;
use rules::{Proposal, Rejection, Verdict, limits};

use super::decide::{Decided, Decider};
use super::machine::Machine;
use super::options::{Limits, ProposeError};
use super::raft::{Answer, Payload, Types};
use crate::clock::{self, BootMs};
use crate::codec;
use crate::lease::LEASE;
use crate::store::{StorageStatus, Store};
use crate::world;

/// How often a proposal is decided anew because people or policies changed before it was applied:
/// each time something else went before it, so that more is a storm of changes.
const DECIDED_AT_MOST: u32 = 16;

pub(super) type Raft = openraft::Raft<Types, Machine>;

/// Where proposals come in.
#[derive(Debug)]
pub(super) struct Door {
    raft: Raft,
    store: Store,
    limits: Limits,
    under_way: UnderWay,
    stamp: Mutex<Stamp>,
    is_closed: AtomicBool,
    decider: Decider,
}

/// How many proposals are under way; clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct UnderWay(Arc<AtomicUsize>);

/// One of them, until it is dropped.
struct Place<'a>(&'a UnderWay);

impl UnderWay {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn enter(&self, limit: usize) -> Option<Place<'_>> {
        let place = Place(self);
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        (before < limit).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The time that a leader has counted: an entry carries what passed since the one before it.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    term: u64,
    last: BootMs,
}

impl Door {
    pub fn new(
        raft: Raft,
        store: Store,
        limits: Limits,
        under_way: UnderWay,
        decider: Decider,
    ) -> Self {
        Self {
            raft,
            store,
            limits,
            under_way,
            stamp: Mutex::new(Stamp {
                term: 0,
                last: clock::boot(),
            }),
            is_closed: AtomicBool::new(false),
            decider,
        }
    }

    /// Consensus itself.
    pub fn raft(&self) -> &Raft {
        &self.raft
    }

    /// Takes nothing in any more.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// Brings a proposal through consensus; gives its verdict and its place.
    pub async fn propose(&self, proposal: Arc<Proposal>) -> Result<(Verdict, u64), ProposeError> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(ProposeError::Stopped);
        }
        let limit = self.limits.in_flight;
        let _place = self
            .under_way
            .enter(limit)
            .ok_or(ProposeError::Full { limit })?;
        check_size(&proposal)?;
        self.check_storage()?;
        let mut tries = 0;
        loop {
            self.check_leads()?;
            let decided = match self.decider.decide(&self.raft, &proposal).await? {
                Decided::Proposal(decided) => decided,
                Decided::Refused(verdict, index) => return Ok((verdict, index)),
            };
            let (verdict, index) = self.write(decided).await?;
            tries += 1;
            if verdict != Err(Rejection::Outdated) || tries == DECIDED_AT_MOST {
                return Ok((verdict, index));
            }
        }
    }

    async fn write(&self, proposal: Arc<Proposal>) -> Result<(Verdict, u64), ProposeError> {
        let elapsed_ms = self.stamp()?;
        let payload = Payload {
            elapsed_ms,
            proposal,
            salt: salt(),
        };
        let limit = Duration::from_millis(self.limits.propose_ms);
        let written = world::timeout(limit, self.raft.client_write(payload)).await;
        let error = match written {
            Ok(Ok(response)) => match response.data {
                Answer::Verdict(verdict) => return Ok((verdict, response.log_id.index())),
                Answer::Passed => return Err(ProposeError::Unknown),
            },
            Ok(Err(error)) => error,
            Err(_) => return Err(ProposeError::Unknown),
        };
        match error {
            RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => {
                self.give_back(elapsed_ms);
                Err(ProposeError::NoLeader {
                    leader: forward.leader_id.map(NodeId),
                })
            }
            RaftError::APIError(
                ClientWriteError::LogEntryDiscarded(_)
                | ClientWriteError::ChangeMembershipError(_)
                | ClientWriteError::PreconditionFailed(_),
            ) => Err(ProposeError::Unknown),
            RaftError::Fatal(error) => {
                tracing::error!("consensus has ended: {error}");
                self.close();
                Err(ProposeError::Unknown)
            }
        }
    }

    /// How much time passed since the last entry that was stamped; none while this node does not lead.
    pub fn since_last_ms(&self) -> u64 {
        let stamp = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        clock::boot().0.saturating_sub(stamp.last.0)
    }

    fn check_storage(&self) -> Result<(), ProposeError> {
        if let StorageStatus::Refusing { why, .. } = &*self.store.status().borrow() {
            return Err(match self.store.check_room() {
                Err((free_bytes, needed_bytes)) => ProposeError::DiskFull {
                    free_bytes,
                    needed_bytes,
                },
                Ok(()) => ProposeError::ReadOnly { why: why.clone() },
            });
        }
        self.store
            .check_room()
            .map_err(|(free_bytes, needed_bytes)| ProposeError::DiskFull {
                free_bytes,
                needed_bytes,
            })
    }

    /// Refuses where another node leads.
    fn check_leads(&self) -> Result<(), ProposeError> {
        let metrics = self.raft.server_metrics();
        let metrics = metrics.borrow_watched();
        let leader = metrics.current_leader;
        if leader == Some(metrics.id) {
            return Ok(());
        }
        Err(ProposeError::NoLeader {
            leader: leader.map(NodeId),
        })
    }

    fn stamp(&self) -> Result<u64, ProposeError> {
        let metrics = self.raft.server_metrics();
        let metrics = metrics.borrow_watched();
        let leader = metrics.current_leader;
        if leader != Some(metrics.id) {
            return Err(ProposeError::NoLeader {
                leader: leader.map(NodeId),
            });
        }
        let term = metrics.vote.leader_id.term;
        let mut stamp = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::boot();
        if stamp.term != term {
            // Time under another leader was counted there, and time without one does not pass.
            *stamp = Stamp { term, last: now };
        }
        let elapsed_ms = now.0.saturating_sub(stamp.last.0);
        stamp.last = now;
        Ok(elapsed_ms)
    }

    /// The time of an entry that did not come to be is counted with the next one.
    fn give_back(&self, elapsed_ms: u64) {
        let mut stamp = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        stamp.last = given_back(stamp.last, elapsed_ms, clock::boot());
    }
}

/// What nobody can guess, so that a text that was erased cannot be found out by trying.
fn salt() -> [u8; SALT_BYTES] {
    let mut salt = [0; SALT_BYTES];
    for piece in salt.chunks_mut(size_of::<u64>()) {
        piece.copy_from_slice(&world::draw().to_le_bytes()[..piece.len()]);
    }
    salt
}

/// From when time is counted after a refusal: without a quorum for longer than a lease all agents
/// are frozen, and frozen time does not count.
fn given_back(last: BootMs, elapsed_ms: u64, now: BootMs) -> BootMs {
    let lease_ms = u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX);
    let counted = last.0.saturating_sub(elapsed_ms);
    BootMs(counted.max(now.0.saturating_sub(lease_ms)))
}

/// Refuses what is too large for an entry.
fn check_size(proposal: &Proposal) -> Result<(), ProposeError> {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    let written = codec::encode_into(proposal, &mut counter);
    let bytes = written.map_or(usize::MAX, |_| counter.0);
    if bytes > limits::MAX_ENTRY_BYTES {
        return Err(ProposeError::TooLarge {
            bytes,
            max: limits::MAX_ENTRY_BYTES,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_without_a_quorum_counts_up_to_a_lease() {
        let at = |second: u64| BootMs(1_000_000 + second * 1_000);
        assert_eq!(given_back(at(10), 2_000, at(10)), at(8));
        // Refused again and again for a minute.
        let mut last = at(10);
        for second in 10..70 {
            let now = at(second);
            last = given_back(now, now.0 - last.0, now);
        }
        assert_eq!(last, at(66));
    }
}
