//! What consensus says to other nodes, over whatever carries it.
//!
//! # Why
//! Links in production, a seeded network in a simulation: consensus sees neither, only that a call
//! is answered within its limit or that the peer is unreachable.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openraft::error::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use rules::id::NodeId;
use rules::{Proposal, Verdict};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::options::ProposeError;
use super::raft::{Snapshot, Types, Vote};
use super::snapshot::{SnapshotFile, Snapshots};
use super::transfer::{self, NotSent, Piece, PieceTaken};
use crate::archive::{Pairs, Part};
use crate::audit::Batch;
use crate::{codec, world};

/// The largest call: what a link carries without delaying the heartbeats behind it for long.
pub const MAX_CALL_BYTES: usize = 768 * 1024;
/// The shortest limit of a call that brings entries or asks for a vote: a disk that is slow for a
/// while must not keep a follower from ever catching up. A dead link answers sooner.
const SHORTEST_LIMIT: Duration = Duration::from_secs(2);

/// What carries calls between ledgers.
pub trait Links: fmt::Debug + Send + Sync + 'static {
    /// Brings a call to a node and its answer back, within the limit.
    fn call(&self, to: NodeId, call: Vec<u8>, limit: Duration) -> Carried<'_>;

    /// Whether another node can be reached at all.
    fn lead_anywhere(&self) -> bool {
        true
    }
}

/// An answer on its way.
pub type Carried<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, NoAnswer>> + Send + 'a>>;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoAnswer {
    /// There is no link to that node: the call did not leave.
    #[error("there is no link to node {0}")]
    NoLink(NodeId),
    /// It did not answer in time, or its link broke meanwhile.
    #[error("node {0} did not answer in time")]
    TooLate(NodeId),
    /// The call or its answer is larger than links carry: send it as a blob.
    #[error("what was to go to or from node {0} is too large")]
    TooLarge(NodeId),
    /// It has too much to do: ask again later.
    #[error("node {0} is busy")]
    Busy(NodeId),
    /// It is linked, but nobody there answers this yet.
    #[error("nobody at node {0} answers")]
    Nobody(NodeId),
}

impl NoAnswer {
    /// Whether the call surely did nothing at the other node.
    pub fn is_unsent(&self) -> bool {
        matches!(self, Self::NoLink(_))
    }
}

/// The links of a node that has none: the cluster of one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLinks;

impl Links for NoLinks {
    fn call(&self, to: NodeId, _: Vec<u8>, _: Duration) -> Carried<'_> {
        Box::pin(async move { Err(NoAnswer::NoLink(to)) })
    }

    fn lead_anywhere(&self) -> bool {
        false
    }
}

/// What one node's consensus asks another's.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum PeerCall {
    Append(AppendEntriesRequest<Types>),
    Vote(VoteRequest<Types>),
    PreVote(VoteRequest<Types>),
    TransferLeader(TransferLeaderRequest<Types>),
    /// Bring this before the cluster, as its leader.
    Propose(Arc<Proposal>),
    /// The last entry that whoever reads now must have seen.
    ReadIndex,
    /// A piece of a snapshot.
    Snapshot(Piece),
    /// A part of the archive behind this key.
    Archive {
        part: Part,
        after: Vec<u8>,
    },
    /// Records behind this one.
    Records {
        after: u64,
    },
}

/// What is answered; in the order of the calls.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum PeerAnswer {
    Append(AppendEntriesResponse<Types>),
    Vote(VoteResponse<Types>),
    PreVote(VoteResponse<Types>),
    TransferLeader(TransferLeaderResponse<Types>),
    /// The verdict and the place of its entry.
    Proposed(Result<(Verdict, u64), ProposeError>),
    ReadIndex(Result<u64, ProposeError>),
    Snapshot(PieceTaken),
    /// What comes there.
    Archive(Pairs),
    /// The other's ledger is stopped.
    Stopped,
    /// What comes there.
    Records(Batch),
}

/// Makes the ways to other nodes.
#[derive(Clone)]
pub(super) struct Network {
    pub links: Arc<dyn Links>,
    /// This node's own.
    pub snapshots: Snapshots,
}

/// The way to one node.
pub(super) struct Peer {
    links: Arc<dyn Links>,
    snapshots: Snapshots,
    node: NodeId,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, (): &()) -> Peer {
        Peer {
            links: Arc::clone(&self.links),
            snapshots: self.snapshots.clone(),
            node: NodeId(target),
        }
    }
}

impl Peer {
    async fn ask(&self, call: &PeerCall, limit: Duration) -> Result<PeerAnswer, NotHeard> {
        ask(self.links.as_ref(), self.node, call, limit).await
    }

    /// Sends a snapshot; one that cannot be used is made anew for the next try.
    async fn send(
        &self,
        vote: Vote,
        snapshot: &Snapshot,
    ) -> Result<SnapshotResponse<Types>, NotSent> {
        let sent = transfer::send(self.links.as_ref(), self.node, vote, snapshot).await;
        if let Err(NotSent::Refused(_) | NotSent::Unreadable(_)) = &sent {
            let (snapshots, file) = (self.snapshots.clone(), snapshot.snapshot.clone());
            drop(world::blocking(move || snapshots.doubt(&file)).await);
        }
        sent
    }
}

/// Why a call came to nothing.
#[derive(Debug, Error)]
pub(super) enum NotHeard {
    /// It was not answered.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// It cannot be said, or the answer cannot be read.
    #[error("the peer is not understood: {0}")]
    Garbled(#[from] codec::CodecError),
    /// It is larger than a link carries.
    #[error("a call of {0} bytes is more than {MAX_CALL_BYTES}")]
    TooLarge(usize),
    /// Another answer than the one that was asked for: a fault of the peer, which may have been
    /// mended when it is asked again.
    #[error("the peer answered something else")]
    Astray,
    /// What it answered cannot be kept here.
    #[error("the answer cannot be kept: {0}")]
    Kept(String),
}

impl NotHeard {
    /// Whether the call surely did nothing at the other node.
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::NoAnswer(why) => why.is_unsent(),
            Self::TooLarge(_) => true,
            Self::Garbled(_) | Self::Astray | Self::Kept(_) => false,
        }
    }
}

impl From<NotHeard> for RPCError<Types> {
    fn from(error: NotHeard) -> Self {
        Self::Unreachable(Unreachable::new(&error))
    }
}

/// Asks a node's ledger.
pub(super) async fn ask(
    links: &dyn Links,
    to: NodeId,
    call: &PeerCall,
    limit: Duration,
) -> Result<PeerAnswer, NotHeard> {
    let call = codec::encode(codec::PEER_CALL, call)?;
    if call.len() > MAX_CALL_BYTES {
        return Err(NotHeard::TooLarge(call.len()));
    }
    let answer = links.call(to, call, limit).await?;
    Ok(codec::decode(codec::PEER_ANSWER, &answer)?)
}

impl RaftNetworkV2<Types> for Peer {
    type SnapshotData = SnapshotFile;

    /// Sends as many of the entries as a call holds, and says how far they went.
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<Types>, RPCError<Types>> {
        let limit = option.hard_ttl().max(SHORTEST_LIMIT);
        let whole = rpc.entries.len();
        let mut call = PeerCall::Append(rpc);
        let answer = loop {
            match self.ask(&call, limit).await {
                Err(NotHeard::TooLarge(bytes)) => halve(&mut call, bytes)?,
                answer => break answer?,
            }
        };
        let (PeerAnswer::Append(answer), PeerCall::Append(sent)) = (answer, call) else {
            return Err(NotHeard::Astray.into());
        };
        let is_part = sent.entries.len() < whole;
        Ok(match (answer, sent.entries.last()) {
            (AppendEntriesResponse::Success, Some(last)) if is_part => {
                AppendEntriesResponse::PartialSuccess(Some(last.log_id))
            }
            (answer, _) => answer,
        })
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<Types>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        let limit = option.hard_ttl().max(SHORTEST_LIMIT);
        let asked = self.ask(&PeerCall::Vote(rpc), limit).await?;
        let PeerAnswer::Vote(answer) = asked else {
            return Err(NotHeard::Astray.into());
        };
        Ok(answer)
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<Types>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        let asked = self.ask(&PeerCall::PreVote(rpc), option.hard_ttl()).await?;
        let PeerAnswer::PreVote(answer) = asked else {
            return Err(NotHeard::Astray.into());
        };
        Ok(answer)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        tokio::select! {
            biased;
            sent = self.send(vote, &snapshot) => {
                sent.map_err(|error| StreamingError::Unreachable(Unreachable::new(&error)))
            }
            closed = cancel => Err(StreamingError::Closed(closed)),
        }
    }

    async fn transfer_leader(
        &mut self,
        rpc: TransferLeaderRequest<Types>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<Types>, RPCError<Types>> {
        let limit = option.hard_ttl().max(SHORTEST_LIMIT);
        let asked = self.ask(&PeerCall::TransferLeader(rpc), limit).await?;
        let PeerAnswer::TransferLeader(answer) = asked else {
            return Err(NotHeard::Astray.into());
        };
        Ok(answer)
    }
}

/// Leaves the later half of the entries for another call.
fn halve(call: &mut PeerCall, bytes: usize) -> Result<(), NotHeard> {
    if let PeerCall::Append(rpc) = call
        && rpc.entries.len() > 1
    {
        rpc.entries.truncate(rpc.entries.len() / 2);
        return Ok(());
    }
    Err(NotHeard::TooLarge(bytes))
}
