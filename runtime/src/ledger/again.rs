//! Beginning again: a ledger with one voter, from what a backup holds or from what is left here.
//!
//! ```text
//! snapshot of all that there is, with one voter ─► log cut behind it, higher vote ─► opened ─► recorded
//! ```
//!
//! # Invariant
//! What was appended here is kept, known to be committed or not: a majority that is gone may have
//! answered it. The first entry after it says that the cluster began again, and who had it done.
//!
//! # Why
//! The members of consensus stand in its log, and only a quorum may change them. Where there will
//! never be one again, a snapshot that covers the whole log says otherwise, and nothing older is left
//! to contradict it.

use std::collections::BTreeSet;

use rules::case::Case;
use rules::id::NodeId;
use rules::room::Shelved;
use rules::{Proposal, Verdict};

use super::block::{End, LogFault};
use super::door::UnderWay;
use super::open::{damaged, failed, read};
use super::options::{OpenError, OpenOptions};
use super::raft::{Members, Place, StoredVote, Vote};
use super::snapshot::{Covered, Snapshots};
use super::{Ledger, block, log, open};
use crate::archive::{Archive, ArchiveError};
use crate::codec::{self, CodecError};
use crate::store::{Batch, Space, Store, StoreOptions};

/// Terms that are left out: what the gone nodes still say is of an older one.
const TERM_LEAP: u64 = 1000;

/// What a new ledger begins with.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The last entry that is in the state.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// The state's bytes.
    pub state: &'a [u8],
}

/// A ledger that is being laid in a new folder.
#[derive(Debug)]
pub struct Laying {
    options: OpenOptions,
    store: Store,
    archive: Archive,
}

/// What one node holds of a ledger whose majority is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// The last entry of its log.
    pub last: u64,
    /// How many entries at the end were not known to be committed.
    pub uncommitted: u64,
    /// Who voted.
    pub voters: BTreeSet<NodeId>,
    /// The node's name, where the state knows it.
    pub name: Option<String>,
}

impl Ledger {
    /// What a folder holds, for who is to decide whether to go on with it alone. Blocks.
    pub fn remains(options: &OpenOptions) -> Result<Remains, OpenError> {
        let opened = read(options, UnderWay::default(), true)?;
        let remains = Remains {
            last: opened.machine.last().map_or(0, |last| last.index),
            uncommitted: opened.uncommitted,
            voters: opened
                .members
                .voters
                .iter()
                .flatten()
                .copied()
                .map(NodeId)
                .collect(),
            name: opened.machine.read(|state| {
                let node = state.nodes.get(&options.node)?;
                Some(node.facts.name.clone())
            }),
        };
        opened.store.close();
        Ok(remains)
    }

    /// Has a folder's ledger go on with its own node as the only voter. Blocks.
    pub fn seize(options: &OpenOptions) -> Result<(), OpenError> {
        let opened = read(options, UnderWay::default(), true)?;
        let seized = seize(options, &opened);
        opened.store.close();
        seized
    }

    /// Opens the ledger of one voter, proposes what says that it began again, and closes it.
    pub async fn record(options: OpenOptions, proposal: Proposal) -> Result<Verdict, OpenError> {
        let (ledger, _changes) = Ledger::open(options).await?;
        let proposed = ledger.propose(proposal).await;
        let settled = match &proposed {
            // A snapshot, so that the next start does not depend on the log alone.
            Ok(Ok(_)) => ledger.snapshot().await,
            Ok(Err(_)) | Err(_) => Ok(()),
        };
        ledger.close().await;
        settled.map_err(|error| failed("write a snapshot", error))?;
        let what = "record that the cluster began again";
        proposed.map_err(|error| failed(what, std::io::Error::other(error)))
    }
}

impl Laying {
    /// Begins with an empty folder. Blocks.
    pub fn begin(options: &OpenOptions) -> Result<Self, OpenError> {
        let store = Store::open(&StoreOptions {
            dir: options.dir.join("store"),
            kind: options.store,
            free_bytes: options.limits.free_bytes,
            journal_bytes: options.journal_bytes,
        })?;
        let begun = open::check_identity(&store, options);
        let begun = begun.and_then(|()| Ok(Archive::open(store.clone())?));
        let archive = begun.inspect_err(|_| store.close())?;
        Ok(Self {
            options: options.clone(),
            store,
            archive,
        })
    }

    /// Takes a closed case in. Blocks.
    pub fn case(&self, case: &Case) -> Result<(), ArchiveError> {
        self.archive.take_case(case)
    }

    /// Takes posts in that have left the state. Blocks.
    pub fn posts(&self, posts: &[Shelved]) -> Result<(), ArchiveError> {
        self.archive.take_posts(posts)
    }

    /// Has it begin with that state; all of it is durable then. Blocks.
    pub fn end(self, origin: Origin<'_>) -> Result<(), OpenError> {
        self.archive.settle(origin.index)?;
        let place = Place {
            term: origin.term,
            index: origin.index,
        };
        let found = Snapshots::open(&self.options.dir.join("snapshots"));
        let found = found.map_err(|error| failed("write a snapshot", error))?;
        let covered = alone(self.options.node, place);
        let written = found.snapshots.write(&covered, origin.state);
        written.map_err(|error| failed("write a snapshot", error))?;
        begin_behind(&self.store, (place, 0), place.term, self.options.node)
    }
}

impl Drop for Laying {
    fn drop(&mut self) {
        self.store.close();
    }
}

fn seize(options: &OpenOptions, opened: &open::Opened) -> Result<(), OpenError> {
    let Some(last) = opened.machine.last() else {
        return Err(damaged("the ledger has no entry to go on from".to_owned()));
    };
    // All closed cases that were applied anew are durable before the log that closed them goes.
    barrier(&opened.store)?;
    let synced = opened.audit.sync();
    synced.map_err(|error| failed("write the records", error))?;
    let pictured = opened.machine.picture();
    let (_, state) =
        pictured.map_err(|error| failed("write a snapshot", std::io::Error::other(error)))?;
    let covered = alone(options.node, last);
    let written = opened.machine.snapshots().write(&covered, &state);
    written.map_err(|error| failed("write a snapshot", error))?;
    let (voted, sum) = opened.log.ends();
    let term = voted.max(last.term).saturating_add(TERM_LEAP);
    begin_behind(&opened.store, (last, sum), term, options.node)
}

/// Has the log begin behind its last entry, and its node stand for election in a later term; what is
/// left before goes at the next opening.
fn begin_behind(store: &Store, end: End, term: u64, node: NodeId) -> Result<(), OpenError> {
    let vote = StoredVote::of(&Vote::new(term, node.0));
    let mut batch = Batch::default();
    let sealed = |sealed: Result<Vec<u8>, CodecError>| {
        sealed.map_err(|error| failed("cut the log", std::io::Error::other(error)))
    };
    let purged = sealed(codec::encode(codec::PURGED, &end))?;
    batch.put(Space::Meta, log::PURGED_KEY, purged);
    block::put_end(&mut batch, Some(end)).map_err(LogFault::from)?;
    let vote = sealed(codec::encode(codec::VOTE, &vote))?;
    batch.put(Space::Meta, log::VOTE_KEY, vote);
    store.submit(batch, |_| ())?;
    barrier(store)
}

/// All up to that entry, with one voter.
fn alone(node: NodeId, last: Place) -> Covered {
    let only = BTreeSet::from([node.0]);
    Covered {
        last: Some(last),
        members_at: Some(last),
        members: Members {
            voters: vec![only.clone()],
            nodes: only,
        },
    }
}

/// Waits until all that was handed over is durable.
fn barrier(store: &Store) -> Result<(), OpenError> {
    Ok(store.commit_now(Batch::default())?)
}
