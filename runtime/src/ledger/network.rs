//! What consensus says to other nodes, over whatever carries it.
//!
//! # Why
//! Links in production, a seeded network in a simulation: consensus sees neither, only that a call
//! is answered within its limit or that the peer is unreachable.

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
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::raft::{Snapshot, Types, Vote};
use super::snapshot::SnapshotFile;
use crate::codec;

/// What carries calls between ledgers.
pub trait Links: Send + Sync + 'static {
    /// Brings a call to a node and its answer back, within the limit.
    fn call(&self, to: NodeId, call: Vec<u8>, limit: Duration) -> Carried<'_>;
}

/// An answer on its way.
pub type Carried<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, NoAnswer>> + Send + 'a>>;

/// Why there is no answer; whether the call arrived is not known.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoAnswer {
    /// There is no link to that node.
    #[error("there is no link to node {0}")]
    NoLink(NodeId),
    /// It did not answer in time.
    #[error("node {0} did not answer in time")]
    TooLate(NodeId),
}

/// The links of a node that has none: the cluster of one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLinks;

impl Links for NoLinks {
    fn call(&self, to: NodeId, _: Vec<u8>, _: Duration) -> Carried<'_> {
        Box::pin(async move { Err(NoAnswer::NoLink(to)) })
    }
}

/// What one node's consensus asks another's.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum PeerCall {
    Append(AppendEntriesRequest<Types>),
    Vote(VoteRequest<Types>),
    PreVote(VoteRequest<Types>),
    TransferLeader(TransferLeaderRequest<Types>),
}

/// What is answered; in the order of the calls.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum PeerAnswer {
    Append(AppendEntriesResponse<Types>),
    Vote(VoteResponse<Types>),
    PreVote(VoteResponse<Types>),
    TransferLeader(TransferLeaderResponse<Types>),
    /// The other's ledger is stopped.
    Stopped,
}

/// Makes the ways to other nodes.
#[derive(Clone)]
pub(super) struct Network(pub Arc<dyn Links>);

/// The way to one node.
pub(super) struct Peer {
    links: Arc<dyn Links>,
    node: NodeId,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, (): &()) -> Peer {
        Peer {
            links: Arc::clone(&self.0),
            node: NodeId(target),
        }
    }
}

impl Peer {
    async fn ask(&self, call: PeerCall, option: RPCOption) -> Result<PeerAnswer, RPCError<Types>> {
        let call = codec::encode(codec::PEER_CALL, &call).map_err(|error| unreachable(&error))?;
        let answer = self.links.call(self.node, call, option.hard_ttl()).await;
        let answer = answer.map_err(|error| unreachable(&error))?;
        codec::decode(codec::PEER_ANSWER, &answer).map_err(|error| unreachable(&error))
    }
}

fn unreachable(error: &(impl std::error::Error + 'static)) -> RPCError<Types> {
    RPCError::Unreachable(Unreachable::new(error))
}

/// Another answer than the one that was asked for: a fault of the peer, which may have been mended
/// when it is asked again.
fn astray() -> RPCError<Types> {
    unreachable(&std::io::Error::other("the peer answered something else"))
}

impl RaftNetworkV2<Types> for Peer {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<Types>, RPCError<Types>> {
        match self.ask(PeerCall::Append(rpc), option).await? {
            PeerAnswer::Append(answer) => Ok(answer),
            PeerAnswer::Vote(_)
            | PeerAnswer::PreVote(_)
            | PeerAnswer::TransferLeader(_)
            | PeerAnswer::Stopped => Err(astray()),
        }
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<Types>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        match self.ask(PeerCall::Vote(rpc), option).await? {
            PeerAnswer::Vote(answer) => Ok(answer),
            PeerAnswer::Append(_)
            | PeerAnswer::PreVote(_)
            | PeerAnswer::TransferLeader(_)
            | PeerAnswer::Stopped => Err(astray()),
        }
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<Types>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        match self.ask(PeerCall::PreVote(rpc), option).await? {
            PeerAnswer::PreVote(answer) => Ok(answer),
            PeerAnswer::Append(_)
            | PeerAnswer::Vote(_)
            | PeerAnswer::TransferLeader(_)
            | PeerAnswer::Stopped => Err(astray()),
        }
    }

    async fn full_snapshot(
        &mut self,
        _vote: Vote,
        _snapshot: Snapshot,
        _cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        // Snapshots travel as blobs do, on a connection of their own, which a cluster of one has not.
        let no_link = NoAnswer::NoLink(self.node);
        Err(StreamingError::Unreachable(Unreachable::new(&no_link)))
    }

    async fn transfer_leader(
        &mut self,
        rpc: TransferLeaderRequest<Types>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<Types>, RPCError<Types>> {
        match self.ask(PeerCall::TransferLeader(rpc), option).await? {
            PeerAnswer::TransferLeader(answer) => Ok(answer),
            PeerAnswer::Append(_)
            | PeerAnswer::Vote(_)
            | PeerAnswer::PreVote(_)
            | PeerAnswer::Stopped => Err(astray()),
        }
    }
}
