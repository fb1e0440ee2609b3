//! Proposals and reads on a node that does not lead: they are brought to the one that does.
//!
//! # Invariant
//! What may have happened is only said again under a request id, which makes it happen once. What
//! was tried once with an unknown outcome is never called undone.
//!
//! # Why
//! A change of leader takes about a second. Whoever waits here for its end needs no loop of their
//! own, and every face of the node behaves alike.

use std::sync::Arc;
use std::time::Duration;

use openraft::ReadPolicy;
use openraft::error::{LinearizableReadError, RaftError};
use rules::blobs::of_command;
use rules::id::NodeId;
use rules::{Proposal, Verdict};

use super::Inner;
use super::network::{NotHeard, PeerAnswer, PeerCall, ask};
use super::options::ProposeError;
use crate::clock::Deadline;
use crate::world::timeout;

/// Wait before a node is asked again that is not, or not yet, the leader.
const ASK_AGAIN: Duration = Duration::from_millis(20);
/// Longest wait for files on their way to other nodes: what a case may hold, on a slow line.
const SPREAD_LIMIT: Duration = Duration::from_mins(2);
/// How long an answer waits until its entry is applied here too, so that whoever reads next sees it.
const SEEN_LIMIT: Duration = Duration::from_secs(1);

impl Inner {
    /// Brings a proposal before the cluster, wherever its leader is.
    pub(super) async fn propose(&self, proposal: Proposal) -> Result<Verdict, ProposeError> {
        self.spread(&proposal).await?;
        let proposal = Arc::new(proposal);
        let deadline = Deadline::after(self.propose_limit);
        let mut is_uncertain = false;
        loop {
            let tried = match self.door.propose(Arc::clone(&proposal)).await {
                Err(ProposeError::NoLeader { leader }) => {
                    self.propose_there(&proposal, leader, deadline.left()).await
                }
                tried => tried,
            };
            let error = match tried {
                Ok((verdict, index)) => {
                    // It is done; only whoever reads here next would like to see it.
                    let _ = timeout(SEEN_LIMIT, self.seen(index)).await;
                    return Ok(verdict);
                }
                Err(error) => error,
            };
            let may_repeat = match &error {
                ProposeError::NoLeader { .. } => true,
                ProposeError::Unknown => {
                    is_uncertain = true;
                    proposal.request.is_some()
                }
                ProposeError::Full { .. }
                | ProposeError::TooLarge { .. }
                | ProposeError::NotSpread { .. }
                | ProposeError::DiskFull { .. }
                | ProposeError::ReadOnly { .. }
                | ProposeError::Stopped => false,
            };
            if !may_repeat || deadline.is_over() {
                return Err(if is_uncertain {
                    ProposeError::Unknown
                } else {
                    error
                });
            }
            self.await_leader(ASK_AGAIN).await;
        }
    }

    /// Brings what a proposal names to a majority of the voters.
    async fn spread(&self, proposal: &Proposal) -> Result<(), ProposeError> {
        let named = of_command(&proposal.command);
        let Some(blobs) = self.blobs.get().filter(|_| !named.is_empty()) else {
            return Ok(());
        };
        let voters = self.status().voters;
        let spread = timeout(SPREAD_LIMIT, blobs.spread(named, &voters)).await;
        let spread = spread.unwrap_or_else(|_| Err("it takes too long".to_owned()));
        spread.map_err(|why| ProposeError::NotSpread { why })
    }

    async fn propose_there(
        &self,
        proposal: &Arc<Proposal>,
        leader: Option<NodeId>,
        limit: Duration,
    ) -> Result<(Verdict, u64), ProposeError> {
        let Some(to) = leader.filter(|leader| *leader != self.node) else {
            return Err(ProposeError::NoLeader { leader: None });
        };
        let call = PeerCall::Propose(Arc::clone(proposal));
        match ask(self.links.as_ref(), to, &call, limit).await {
            Ok(PeerAnswer::Proposed(answer)) => answer,
            Err(error) if error.is_unsent() => Err(ProposeError::NoLeader { leader }),
            Ok(_) | Err(_) => Err(ProposeError::Unknown),
        }
    }

    /// Waits until this node has applied everything that was committed when it was asked.
    pub(super) async fn linearize(&self) -> Result<(), ProposeError> {
        let deadline = Deadline::after(self.propose_limit);
        loop {
            let found = match self.read_index().await {
                Err(ProposeError::NoLeader { leader }) => {
                    self.read_index_there(leader, deadline.left()).await
                }
                found => found,
            };
            match found {
                Ok(index) => return self.seen(index).await,
                Err(ProposeError::NoLeader { .. }) if !deadline.is_over() => {
                    self.await_leader(ASK_AGAIN).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The last entry that whoever reads now must have seen, as the leader of a quorum knows it.
    pub(super) async fn read_index(&self) -> Result<u64, ProposeError> {
        let raft = self.door.raft();
        match raft.get_read_log_id(ReadPolicy::ReadIndex).await {
            Ok((read, _)) => Ok(read.log_id().index()),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(forward))) => {
                Err(ProposeError::NoLeader {
                    leader: forward.leader_id.map(NodeId),
                })
            }
            Err(RaftError::APIError(LinearizableReadError::QuorumNotEnough(_))) => {
                Err(ProposeError::NoLeader { leader: None })
            }
            Err(RaftError::Fatal(_)) => Err(ProposeError::Stopped),
        }
    }

    async fn read_index_there(
        &self,
        leader: Option<NodeId>,
        limit: Duration,
    ) -> Result<u64, ProposeError> {
        let no_leader = ProposeError::NoLeader { leader: None };
        let Some(to) = leader.filter(|leader| *leader != self.node) else {
            return Err(no_leader);
        };
        let asked: Result<PeerAnswer, NotHeard> =
            ask(self.links.as_ref(), to, &PeerCall::ReadIndex, limit).await;
        match asked {
            Ok(PeerAnswer::ReadIndex(answer)) => answer,
            Ok(_) | Err(_) => Err(no_leader),
        }
    }

    /// Waits until an entry is applied here.
    async fn seen(&self, index: u64) -> Result<(), ProposeError> {
        let mut applied = self.machine.applied();
        let seen = applied.wait_for(|applied| *applied >= index).await;
        seen.map(drop).map_err(|_| ProposeError::Stopped)
    }

    /// Waits until who leads has changed, or for a while.
    async fn await_leader(&self, limit: Duration) {
        let mut told = self.told.subscribe();
        let before = {
            let told = told.borrow_and_update();
            (told.leader, told.term)
        };
        let changed = told.wait_for(|told| (told.leader, told.term) != before);
        // A closed ledger is seen at the next try.
        let _ = timeout(limit, changed).await;
    }
}
