//! What this node's ledger answers to another's.
//!
//! # Invariant
//! No node speaks for another one: what is proposed as a node's word comes from that node.
//!
//! # Why
//! The daemons are one domain of trust, which is why only who was admitted is linked with. Each says
//! which human stands at its door and which of its personas speaks, and is believed; one that is in
//! strange hands can say so of anybody, until it is removed. What a node says of itself needs no
//! belief: the link's certificate proves who sends it. A proposal travels once, from where it was
//! made to the leader, so the sender is its maker.

use std::sync::Arc;

use openraft::raft::AppendEntriesResponse;
use rules::id::NodeId;
use rules::right::Right;
use rules::{Principal, Rejection, Who};

use super::Inner;
use super::network::{PeerAnswer, PeerCall};
use super::transfer;
use crate::archive::Part;
use crate::codec;

/// Bytes of the archive that are handed to another node at once: a call's worth.
const ARCHIVE_BYTES: usize = 512 * 1024;

impl Inner {
    /// Answers a call; none when it cannot be read, which a peer of another release may cause.
    pub(super) async fn answer(&self, from: NodeId, call: &[u8]) -> Option<Vec<u8>> {
        let call = match codec::decode(codec::PEER_CALL, call) {
            Ok(call) => call,
            Err(error) => {
                tracing::warn!("a call of another node cannot be read: {error}");
                return None;
            }
        };
        let answer = self.answered(from, call).await;
        codec::encode(codec::PEER_ANSWER, &answer).ok()
    }

    async fn answered(&self, from: NodeId, call: PeerCall) -> PeerAnswer {
        let raft = self.door.raft();
        let stopped = |_| PeerAnswer::Stopped;
        match call {
            PeerCall::Append(rpc) => match raft.append_entries(rpc).await {
                Ok(answer) => {
                    // One of an older term is no leader.
                    if !matches!(answer, AppendEntriesResponse::HigherVote(_)) {
                        self.heard.note();
                    }
                    PeerAnswer::Append(answer)
                }
                Err(fatal) => stopped(fatal),
            },
            PeerCall::Vote(rpc) => raft.vote(rpc).await.map_or_else(stopped, PeerAnswer::Vote),
            PeerCall::PreVote(rpc) => raft
                .pre_vote(rpc)
                .await
                .map_or_else(stopped, PeerAnswer::PreVote),
            PeerCall::TransferLeader(rpc) => raft
                .handle_transfer_leader(rpc)
                .await
                .map_or(PeerAnswer::Stopped, PeerAnswer::TransferLeader),
            PeerCall::Propose(proposal) => {
                PeerAnswer::Proposed(match self.stranger(from, &proposal.principal) {
                    Some(refused) => Ok((Err(refused), self.machine.read(|state| state.index))),
                    None => self.door.propose(Arc::clone(&proposal)).await,
                })
            }
            PeerCall::ReadIndex => PeerAnswer::ReadIndex(self.read_index().await),
            PeerCall::Snapshot(piece) => {
                PeerAnswer::Snapshot(transfer::take(&self.coming, raft, piece).await)
            }
            PeerCall::Archive { part, after } => self.archived(part, &after),
            PeerCall::Records { after } => self.records_after(after).await,
        }
    }

    /// Refuses, and has noted, what a node proposes as the word of another one.
    fn stranger(&self, from: NodeId, principal: &Principal) -> Option<Rejection> {
        let Who::Node(node) = principal.who else {
            return None;
        };
        if node == from {
            return None;
        }
        tracing::warn!(%from, "proposes what node {node} would say, and is refused");
        let refused = Rejection::Denied {
            right: Right::SpeakForNode,
            team: None,
            forbidden_by: Vec::new(),
        };
        let who = format!("node {from} as {principal}");
        let right = Some(Right::SpeakForNode);
        self.denials.note_strangers(who, right, 1);
        Some(refused)
    }

    fn archived(&self, part: Part, after: &[u8]) -> PeerAnswer {
        let limit = ARCHIVE_BYTES.min(self.store.max_batch_bytes() / 2);
        match self.archive.pairs(part, after, limit) {
            Ok(pairs) => PeerAnswer::Archive(pairs),
            Err(error) => {
                tracing::warn!("closed cases cannot be handed on: {error}");
                PeerAnswer::Stopped
            }
        }
    }
}
