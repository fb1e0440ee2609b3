//! What this node's ledger answers to another's.

use std::sync::Arc;

use openraft::raft::AppendEntriesResponse;

use super::Inner;
use super::network::{PeerAnswer, PeerCall};
use crate::archive::Part;
use crate::codec;

/// Bytes of the archive that are handed to another node at once: a call's worth.
const ARCHIVE_BYTES: usize = 512 * 1024;

impl Inner {
    /// Answers a call; none when it cannot be read, which a peer of another release may cause.
    pub(super) async fn answer(&self, call: &[u8]) -> Option<Vec<u8>> {
        let call = match codec::decode(codec::PEER_CALL, call) {
            Ok(call) => call,
            Err(error) => {
                tracing::warn!("a call of another node cannot be read: {error}");
                return None;
            }
        };
        let answer = self.answered(call).await;
        codec::encode(codec::PEER_ANSWER, &answer).ok()
    }

    async fn answered(&self, call: PeerCall) -> PeerAnswer {
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
                PeerAnswer::Proposed(self.door.propose(Arc::clone(&proposal)).await)
            }
            PeerCall::ReadIndex => PeerAnswer::ReadIndex(self.read_index().await),
            PeerCall::Snapshot(piece) => {
                let mut coming = self.coming.lock().await;
                PeerAnswer::Snapshot(coming.take(raft, piece).await)
            }
            PeerCall::Archive { part, after } => self.archived(part, &after),
            PeerCall::Records { after } => self.records_after(after).await,
        }
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
