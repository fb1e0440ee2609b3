//! The types that consensus is made of, and what they are on the disk.
//!
//! # Invariant
//! One leader in a term: the Manager's acts are fenced by the term, so two leaders of one term would
//! be two Managers. (openraft's default allows several, told apart by their node.)
//!
//! # Why
//! What is on the disk has structs of its own: consensus is an alpha release, and its types may
//! change with any other.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use openraft::vote::RaftLeaderId;
use openraft::{EntryPayload, RaftTypeConfig};
use rules::audit::SALT_BYTES;
use rules::{Proposal, Verdict};
use serde::{Deserialize, Serialize};

use super::snapshot::SnapshotFile;
use crate::codec::{self, CodecError};

/// What a leader puts into the log for a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Payload {
    /// Boot-clock time that the leader counted since the entry before it.
    pub elapsed_ms: u64,
    /// What was asked.
    pub proposal: Arc<Proposal>,
    /// What its texts are salted with in the record of the audit.
    pub salt: [u8; SALT_BYTES],
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a proposal of {}", self.proposal.principal)
    }
}

/// What comes back when an entry is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The verdict on a proposal.
    Verdict(Verdict),
    /// It was no proposal.
    Passed,
}

openraft::declare_raft_types!(
    /// The ledger's choice of types.
    pub(super) Types:
        D = Payload,
        R = Answer,
        NodeId = u64,
        Node = (),
        AsyncRuntime = super::ground::Ground,
        Term = u64,
        LeaderId = openraft::impls::leader_id_std::LeaderId<u64, u64>,
);

pub(super) type LeaderId = <Types as RaftTypeConfig>::LeaderId;
pub(super) type Committed = <LeaderId as RaftLeaderId>::Committed;
pub(super) type LogId = openraft::LogId<Committed>;
pub(super) type Vote = <Types as RaftTypeConfig>::Vote;
pub(super) type RaftEntry = <Types as RaftTypeConfig>::Entry;
pub(super) type Membership = openraft::Membership<u64, ()>;
pub(super) type StoredMembership = openraft::StoredMembership<Committed, u64, ()>;
pub(super) type SnapshotMeta = openraft::SnapshotMeta<Committed, u64, ()>;
/// A snapshot as consensus hands it about: what it covers, and the file that holds it.
pub(super) type Snapshot = openraft::Snapshot<Committed, u64, (), SnapshotFile>;

/// The place of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub term: u64,
    pub index: u64,
}

impl Place {
    pub fn of(log_id: &LogId) -> Self {
        Self {
            term: log_id.committed_leader_id().term,
            index: log_id.index(),
        }
    }

    pub fn log_id(self) -> LogId {
        LogId::new_term_index(self.term, self.index)
    }
}

/// Who is in the cluster: voters, of one set or of two while they change, and those who only listen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Members {
    pub voters: Vec<BTreeSet<u64>>,
    pub nodes: BTreeSet<u64>,
}

impl Members {
    pub fn of(membership: &Membership) -> Self {
        Self {
            voters: membership.get_joint_config().clone(),
            nodes: membership.nodes().map(|(node, ())| *node).collect(),
        }
    }

    pub fn membership(self) -> Membership {
        Membership::new_with_defaults(self.voters, self.nodes)
    }
}

/// A vote, as it is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredVote {
    term: u64,
    node: u64,
    is_granted: bool,
}

impl StoredVote {
    pub fn of(vote: &Vote) -> Self {
        Self {
            term: vote.leader_id.term,
            node: vote.leader_id.voted_for,
            is_granted: vote.committed,
        }
    }

    pub fn vote(self) -> Vote {
        if self.is_granted {
            Vote::new_committed(self.term, self.node)
        } else {
            Vote::new(self.term, self.node)
        }
    }
}

/// An entry of the log, as it is on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub place: Place,
    /// The checksum of the record before it: a record that was swapped or left over does not fit.
    pub previous: u32,
    /// The last entry that was known to be committed when this one was written.
    pub committed: u64,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Content {
    /// A leader's first entry.
    Blank,
    /// A proposal.
    Proposal(Payload),
    /// A change of the cluster.
    Members(Members),
}

impl Record {
    pub fn of(entry: &RaftEntry, previous: u32, committed: u64) -> Self {
        Self {
            place: Place::of(&entry.log_id),
            previous,
            committed,
            content: match &entry.payload {
                EntryPayload::Blank => Content::Blank,
                EntryPayload::Normal(payload) => Content::Proposal(payload.clone()),
                EntryPayload::Membership(members) => Content::Members(Members::of(members)),
            },
        }
    }

    pub fn entry(self) -> RaftEntry {
        RaftEntry {
            log_id: self.place.log_id(),
            payload: match self.content {
                Content::Blank => EntryPayload::Blank,
                Content::Proposal(payload) => EntryPayload::Normal(payload),
                Content::Members(members) => EntryPayload::Membership(members.membership()),
            },
        }
    }

    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode(codec::RECORD, self)
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(codec::RECORD, bytes)
    }
}
