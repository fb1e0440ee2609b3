//! Beginning again: a ledger with one voter, from what a backup holds or from what is left here.
//!
//! ```text
//! begun ─► snapshot of all that there is, with one voter ─► log cut behind it, higher vote ─► opened
//!    └───────────────────────────────────────────────── no more ◄── recorded ◄──┘
//! ```
//!
//! # Invariant
//! What was appended here is kept, known to be committed or not: a majority that is gone may have
//! answered it. The first entry after it says that the cluster began again, and who had it done: a
//! ledger that was begun and has no such entry does not go on, and looking at one changes nothing.
//!
//! # Why
//! The members of consensus stand in its log, and only a quorum may change them. Where there will
//! never be one again, a snapshot that covers the whole log says otherwise, and nothing older is left
//! to contradict it.

use std::collections::BTreeSet;
use std::sync::Arc;

use rules::case::Case;
use rules::id::NodeId;
use rules::room::Shelved;
use rules::{Proposal, Verdict};

use super::block::{End, LogFault};
use super::door::UnderWay;
use super::open::{Reading, damaged, failed, read};
use super::options::{OpenError, OpenOptions};
use super::raft::{Members, Place, StoredVote, Vote};
use super::snapshot::{Covered, Snapshots};
use super::{Ledger, block, log, open};
use crate::archive::{Archive, ArchiveError};
use crate::codec::{self, CodecError};
use crate::store::{Batch, Space, Store, StoreError, StoreOptions};

/// Terms that are left out: what the gone nodes still say is of an older one.
const TERM_LEAP: u64 = 1000;
/// There while going on alone is begun and not recorded.
const BEGUN_KEY: &[u8] = b"begun-again";

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
    /// Whether going on alone was begun before, and broke off.
    pub is_begun: bool,
}

impl Ledger {
    /// What a folder holds, for who is to decide whether to go on with it alone. Blocks.
    pub fn remains(options: &OpenOptions) -> Result<Remains, OpenError> {
        let opened = read(options, UnderWay::default(), Reading::Look)?;
        let is_begun = is_begun(&opened.store).inspect_err(|_| opened.store.close())?;
        let remains = Remains {
            is_begun,
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
        let opened = read(options, UnderWay::default(), Reading::Seize)?;
        let seized = seize(options, &opened);
        opened.store.close();
        seized
    }

    /// Opens the ledger of one voter, proposes what says that it began again, and closes it.
    pub async fn record(options: OpenOptions, proposal: Proposal) -> Result<Verdict, OpenError> {
        let links = Arc::new(super::NoLinks);
        let (ledger, _changes) = open::open(options, links, Reading::Record).await?;
        let proposed = ledger.propose(proposal).await;
        let settled = match &proposed {
            // A snapshot, so that the next start does not depend on the log alone.
            Ok(Ok(_)) => ledger.recorded().await,
            Ok(Err(_)) | Err(_) => Ok(()),
        };
        ledger.close().await;
        settled.map_err(|error| failed("write that it is recorded", error))?;
        let what = "record that the cluster began again";
        proposed.map_err(|error| failed(what, std::io::Error::other(error)))
    }

    async fn recorded(&self) -> std::io::Result<()> {
        self.snapshot().await?;
        let mut batch = Batch::default();
        batch.delete(Space::Meta, BEGUN_KEY);
        let done = self.0.store.commit(batch).await;
        done.map_err(std::io::Error::other)
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

/// Whether going on alone was begun with a ledger and is not recorded.
pub(super) fn is_begun(store: &Store) -> Result<bool, StoreError> {
    Ok(store.get(Space::Meta, BEGUN_KEY)?.is_some())
}

fn seize(options: &OpenOptions, opened: &open::Opened) -> Result<(), OpenError> {
    let Some(last) = opened.machine.last() else {
        return Err(damaged("the ledger has no entry to go on from".to_owned()));
    };
    // With it all closed cases that were applied anew are durable before the log that closed them goes.
    let mut batch = Batch::default();
    batch.put(Space::Meta, BEGUN_KEY, Vec::new());
    opened.store.commit_now(batch)?;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rules::beginning::Cause;
    use rules::node::NodeFacts;
    use rules::{Command, Who};
    use tempfile::TempDir;

    use super::super::tests::{open, options, proposal};
    use super::*;
    use crate::store::StoreKind;

    fn joining(node: NodeId) -> Proposal {
        let facts = NodeFacts {
            node,
            name: "left".to_owned(),
            incarnation: 1,
            release: "0".to_owned(),
            knows: rules::version::NEWEST,
            engine: "none".to_owned(),
            cpu_milli: 1000,
            memory_bytes: 1 << 30,
            labels: BTreeMap::new(),
            address: None,
        };
        proposal(Who::Node(node), Command::JoinNode { facts })
    }

    #[tokio::test]
    async fn going_on_alone_that_broke_off_is_ended_by_doing_it_again_and_never_by_a_start() {
        let dir = TempDir::new().unwrap();
        let options = options(&dir, StoreKind::Sled);
        let (ledger, _changes) = open(&options).await;
        let joined = ledger.propose(joining(options.node)).await;
        joined.unwrap().unwrap();
        ledger.close().await;
        assert!(!Ledger::remains(&options).unwrap().is_begun);
        // It dies behind this.
        Ledger::seize(&options).unwrap();
        let refused = Ledger::open(options.clone()).await.unwrap_err();
        let said = refused.to_string();
        assert!(said.contains("domo cluster recover"), "{said}");
        assert!(Ledger::remains(&options).unwrap().is_begun);
        Ledger::seize(&options).unwrap();
        let again = Command::BeginAgain {
            node: options.node,
            name: "left".to_owned(),
            cause: Cause::Recovered,
            by: "root".to_owned(),
        };
        let again = proposal(Who::Node(options.node), again);
        Ledger::record(options.clone(), again)
            .await
            .unwrap()
            .unwrap();
        assert!(!Ledger::remains(&options).unwrap().is_begun);
        let (ledger, _changes) = Ledger::open(options).await.unwrap();
        assert_eq!(ledger.read(|state| state.beginnings.len()), 1);
        ledger.close().await;
    }
}
